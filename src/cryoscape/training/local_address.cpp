#include "cryoscape/training/local_address.hpp"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>

namespace cryoscape::training {
namespace {

/// Connecting a datagram socket only looks up the route.
std::string address_on_route(const addrinfo& target) {
  const int socket = ::socket(target.ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return "";
  sockaddr_storage own{};
  socklen_t length = sizeof own;
  char text[NI_MAXHOST] = "";
  const bool found = connect(socket, target.ai_addr, target.ai_addrlen) == 0 &&
                     getsockname(socket, reinterpret_cast<sockaddr*>(&own), &length) == 0 &&
                     getnameinfo(reinterpret_cast<const sockaddr*>(&own), length, text, sizeof text, nullptr,
                                 0, NI_NUMERICHOST) == 0;
  close(socket);
  return found ? text : "";
}

}  // namespace

std::string local_address_towards(const std::string& host, int port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return "";
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, freeaddrinfo);
  for (; found; found = found->ai_next)
    if (const auto address = address_on_route(*found); !address.empty()) return address;
  return "";
}

}  // namespace cryoscape::training
