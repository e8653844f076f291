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

/// The device that `--device` names: "cpu", "cuda:K", "cuda" (a GPU: the first for the first process on this
/// machine, the next for the next, and so around), or "auto": as "cuda" if build and machine have a GPU, else
/// the CPU. Throws UsageError for any other name, Error for a GPU that is not there.
torch::Device choose_device(const std::string& name, int local_rank = 0,
                            const DevicesFound& found = find_devices());

}  // namespace cryoscape::training
