#pragma once
#include <string>

#include "cryoscape/torch.hpp"

namespace cryoscape::training {

/// What this build and machine have.
struct DevicesFound {
  bool built = false;  ///< with CUDA kernels
  int cuda = 0;        ///< GPUs that libtorch sees
};
DevicesFound find_devices();

/// The device that `--device` names: "cpu", "cuda" (the first GPU), "cuda:K", or "auto": a GPU if build and
/// machine have one, else the CPU. Throws UsageError for any other name, Error for a GPU that is not there.
torch::Device choose_device(const std::string& name, const DevicesFound& found = find_devices());

}  // namespace cryoscape::training
