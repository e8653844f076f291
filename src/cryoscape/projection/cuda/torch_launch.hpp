#pragma once
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include "cryoscape/torch.hpp"

namespace cryoscape::cuda {

/// Makes a tensor's GPU the current one while it lives, and names the stream that libtorch's work on it runs
/// in.
class TensorLaunch {
 public:
  explicit TensorLaunch(const torch::Tensor& tensor)
      : guard_(tensor.device()), stream_(c10::cuda::getCurrentCUDAStream(tensor.device().index()).stream()) {}
  void* stream() const { return stream_; }

 private:
  c10::cuda::CUDAGuard guard_;
  cudaStream_t stream_;
};

}  // namespace cryoscape::cuda
