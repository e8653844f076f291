#include "cryoscape/training/device.hpp"

#include <charconv>
#include <optional>

#include "cryoscape/util/error.hpp"

namespace cryoscape::training {
namespace {

/// K of "cuda:K"; nothing for "cuda".
std::optional<int> device_number(const std::string& name) {
  if (name == "cuda") return std::nullopt;
  int number = -1;
  if (name.starts_with("cuda:")) {
    const char *begin = name.data() + 5, *end = name.data() + name.size();
    const auto [rest, error] = std::from_chars(begin, end, number);
    if (error != std::errc() || rest != end) number = -1;
  }
  if (number < 0)
    throw UsageError(fmt::format("--device is '{}', but must be cpu, cuda, cuda:K or auto", name));
  return number;
}

}  // namespace

DevicesFound find_devices() {
#ifdef CRYOSCAPE_CUDA
  return {true, torch::cuda::is_available() ? static_cast<int>(torch::cuda::device_count()) : 0};
#else
  return {};
#endif
}

torch::Device choose_device(const std::string& name, int local_rank, const DevicesFound& found) {
  if (name == "cpu") return torch::kCPU;
  if (name == "auto")
    return found.built && found.cuda > 0 ? choose_device("cuda", local_rank, found) : torch::kCPU;
  const auto named = device_number(name);
  if (!found.built)
    fail("this build has no CUDA: configure with a CUDA libtorch (CMAKE_PREFIX_PATH), or use --device cpu");
  if (found.cuda == 0) fail("no CUDA device was found (see nvidia-smi): use --device cpu");
  const int number = named.value_or(local_rank % found.cuda);
  if (number >= found.cuda)
    fail("--device {}: this machine has CUDA devices 0 to {} only", name, found.cuda - 1);
  return torch::Device(torch::kCUDA, static_cast<c10::DeviceIndex>(number));
}

}  // namespace cryoscape::training
