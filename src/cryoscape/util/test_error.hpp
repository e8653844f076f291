#pragma once
#include <string>

#include "cryoscape/util/error.hpp"

namespace cryoscape {

/// For tests: the message of the Error that `call` throws; empty without one.
template <class Call>
std::string error_of(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace cryoscape
