#pragma once
#include <string>

namespace cryoscape::training {

/// The address that this machine has on the way to `host`, as text; empty if the host is not known or cannot
/// be reached. Sends nothing.
std::string local_address_towards(const std::string& host, int port);

}  // namespace cryoscape::training
