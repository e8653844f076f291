#pragma once
#include <cctype>
#include <string>

namespace cryoscape {

/// For tests with text parameters: their names, with _ for what googletest does not allow in one.
inline constexpr auto parameter_name = [](const auto& info) {
  std::string name = info.param;
  for (auto& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
};

}  // namespace cryoscape
