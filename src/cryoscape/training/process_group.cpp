#include "cryoscape/training/process_group.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <string_view>
#include <thread>

#if defined(USE_C10D_GLOO) && __has_include(<gloo/context.h>)
#define CRYOSCAPE_PROCESSES 1
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "cryoscape/training/local_address.hpp"
#if defined(USE_C10D_NCCL) && __has_include(<nccl.h>)
#define CRYOSCAPE_NCCL 1
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif
#endif

namespace cryoscape::training {

#ifdef CRYOSCAPE_PROCESSES
namespace {

using std::chrono::milliseconds;

constexpr double kTimeout = 120;         ///< seconds
constexpr milliseconds kFarewell(2000);  ///< for the others to hand over their errors

milliseconds timeout() {
  const char* text = std::getenv("CRYOSCAPE_TIMEOUT");
  char* end = nullptr;
  const double seconds = text ? std::strtod(text, &end) : kTimeout;
  if (text && (end == text || *end || !(seconds > 0)))
    throw UsageError(
        fmt::format("the environment variable CRYOSCAPE_TIMEOUT is '{}', no number of seconds", text));
  return milliseconds(static_cast<long>(1000 * std::min(seconds, 1e6)));
}

std::string first_line(std::string_view text) { return std::string(text.substr(0, text.find('\n'))); }

c10::intrusive_ptr<c10d::TCPStore> open_store(const ProcessPlace& place) {
  c10d::TCPStoreOptions options;
  options.port = static_cast<std::uint16_t>(place.port);
  options.isServer = place.rank == 0 && !place.others_store;
  options.waitWorkers = false;
  options.timeout = timeout();
  return c10::make_intrusive<c10d::TCPStore>(place.address, options);
}

c10::intrusive_ptr<c10d::ProcessGroupGloo> join(const c10::intrusive_ptr<c10d::TCPStore>& store,
                                                const ProcessPlace& place) {
  auto options = c10d::ProcessGroupGloo::Options::create(timeout());
  // A machine's own name often leads to its loopback, which no other machine reaches.
  if (const char* interface = std::getenv("GLOO_SOCKET_IFNAME"))
    options->devices.push_back(c10d::ProcessGroupGloo::createDeviceForInterface(interface));
  else if (const auto address = local_address_towards(place.address, store->getPort()); !address.empty())
    options->devices.push_back(c10d::ProcessGroupGloo::createDeviceForHostname(address));
  else
    options->devices.push_back(c10d::ProcessGroupGloo::createDefaultDevice());
  return c10::make_intrusive<c10d::ProcessGroupGloo>(store, place.rank, place.size, options);
}

}  // namespace

struct ProcessGroup::Connection {
  c10::intrusive_ptr<c10d::TCPStore> store;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> gloo;
#ifdef CRYOSCAPE_NCCL
  c10::intrusive_ptr<c10d::ProcessGroupNCCL> nccl;  ///< made when it is first needed
#endif

  template <class Operation>
  void finish(const Operation& operation) {
    try {
      operation()->wait();
    } catch (const std::exception& e) {
      if (std::string_view(e.what()).find("imed out") != std::string_view::npos)
        throw PeerLost(fmt::format("another process of this run did not answer for {:.0f} s",
                                   std::chrono::duration<double>(timeout()).count()));
      throw PeerLost("another process of this run has ended");
    }
  }

  /// Runs an operation of the backend for a tensor; NCCL needs a GPU of its own for every process.
  template <class Operation>
  void run(const ProcessPlace& place, torch::Tensor& tensor, const Operation& operation) {
    std::vector<torch::Tensor> tensors{tensor};
    if (tensor.is_cpu()) return finish([&] { return operation(*gloo, tensors); });
#ifdef CRYOSCAPE_NCCL
    if (static_cast<int>(torch::cuda::device_count()) >= place.local_size) {
      if (!nccl) nccl = make_nccl(place);
      return finish([&] { return operation(*nccl, tensors); });
    }
#else
    static_cast<void>(place);
#endif
    tensors[0] = tensor.cpu();
    finish([&] { return operation(*gloo, tensors); });
    tensor.copy_(tensors[0]);
  }

#ifdef CRYOSCAPE_NCCL
  c10::intrusive_ptr<c10d::ProcessGroupNCCL> make_nccl(const ProcessPlace& place) const {
    // Without it a lost process is noticed by a watchdog that kills this one.
    setenv("NCCL_BLOCKING_WAIT", "1", 0);
    setenv("TORCH_NCCL_BLOCKING_WAIT", "1", 0);
    auto options = c10d::ProcessGroupNCCL::Options::create();
    options->timeout = timeout();
    return c10::make_intrusive<c10d::ProcessGroupNCCL>(store, place.rank, place.size, options);
  }
#endif
};

bool ProcessGroup::available() { return true; }

ProcessGroup::ProcessGroup(const ProcessPlace& place, const std::function<void(int port)>& listening)
    : place_(place) {
  if (alone()) return;
  // A peer that has ended is an error to report, not a signal to die of.
  std::signal(SIGPIPE, SIG_IGN);
  auto made = std::make_unique<Connection>();
  const auto limit = timeout();
  try {
    made->store = open_store(place_);
    if (listening) listening(made->store->getPort());
    made->gloo = join(made->store, place_);
    // Nobody goes on, and perhaps ends, while others still look for it.
    made->gloo->barrier()->wait();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& e) {
    fail("the {} processes of this run did not find each other at {}:{} within {:.0f} s ({})", size(),
         place_.address, place_.port, std::chrono::duration<double>(limit).count(), first_line(e.what()));
  }
  connection_ = std::move(made);
}

void ProcessGroup::sum(torch::Tensor tensor) {
  if (!alone())
    connection_->run(place_, tensor, [](auto& backend, auto& tensors) { return backend.allreduce(tensors); });
}

void ProcessGroup::broadcast(torch::Tensor tensor) {
  if (!alone())
    connection_->run(place_, tensor, [](auto& backend, auto& tensors) { return backend.broadcast(tensors); });
}

bool ProcessGroup::hand_over(const std::string& message) {
  if (!connection_) return false;
  connection_->gloo.reset();
  try {
    auto& store = *connection_->store;
    if (!message.empty() && !store.check({"error"}))
      store.set("error", std::vector<std::uint8_t>(message.begin(), message.end()));
    store.add("gone", 1);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

std::optional<std::string> ProcessGroup::leave() {
  if (!connection_) return std::nullopt;
  // Closes the connections: the others notice at once.
  connection_->gloo.reset();
  const auto end = std::chrono::steady_clock::now() + kFarewell;
  try {
    auto& store = *connection_->store;
    while (store.add("gone", 0) < size() - 1 && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(milliseconds(20));
    if (!store.check({"error"})) return std::nullopt;
    const auto message = store.get("error");
    return std::string(message.begin(), message.end());
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

#else

struct ProcessGroup::Connection {};

bool ProcessGroup::available() { return false; }

ProcessGroup::ProcessGroup(const ProcessPlace& place, const std::function<void(int port)>&) : place_(place) {
  if (!alone())
    fail(
        "this build trains in one process only: it was made without the Gloo headers (Debian: libgloo-dev) "
        "or "
        "with a libtorch that has no Gloo");
}

void ProcessGroup::sum(torch::Tensor) {}
void ProcessGroup::broadcast(torch::Tensor) {}
bool ProcessGroup::hand_over(const std::string&) { return false; }
std::optional<std::string> ProcessGroup::leave() { return std::nullopt; }

#endif

ProcessGroup::ProcessGroup() = default;
ProcessGroup::~ProcessGroup() = default;

void ProcessGroup::sum(std::span<double> values) {
  if (!alone())
    sum(torch::from_blob(values.data(), {static_cast<std::int64_t>(values.size())}, torch::kFloat64));
}

std::vector<std::int64_t> ProcessGroup::gather(const std::vector<std::int64_t>& values) {
  std::vector<std::int64_t> all(values.size() * static_cast<std::size_t>(size()));
  std::copy(values.begin(), values.end(),
            all.begin() + static_cast<std::ptrdiff_t>(values.size() * static_cast<std::size_t>(rank())));
  sum(torch::from_blob(all.data(), {static_cast<std::int64_t>(all.size())}, torch::kInt64));
  return all;
}

std::int64_t ProcessGroup::largest(std::int64_t value) {
  const auto all = gather({value});
  return *std::max_element(all.begin(), all.end());
}

void ProcessGroup::barrier() { gather({0}); }

ProcessGroup& lone_process() {
  static ProcessGroup group;
  return group;
}

}  // namespace cryoscape::training
