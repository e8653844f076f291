#include "cryoscape/training/device_adamw.hpp"

#include <stdexcept>
#ifdef CRYOSCAPE_CUDA
#include "cryoscape/projection/cuda/torch_launch.hpp"
#include "cryoscape/training/cuda/adamw.hpp"
#endif

namespace cryoscape::training {

void device_adamw_update([[maybe_unused]] const AdamWStep& step, torch::Tensor& parameter,
                         [[maybe_unused]] const torch::Tensor& gradient,
                         [[maybe_unused]] torch::Tensor& first, [[maybe_unused]] torch::Tensor& second) {
#ifdef CRYOSCAPE_CUDA
  if (parameter.is_cuda()) {
    const cryoscape::cuda::TensorLaunch launch(parameter);
    const auto g = gradient.contiguous();
    cuda::adamw_update(step, static_cast<std::size_t>(parameter.numel()), parameter.data_ptr<float>(),
                       g.data_ptr<float>(), first.data_ptr<float>(), second.data_ptr<float>(),
                       launch.stream());
    return;
  }
#endif
  throw std::logic_error("no AdamW kernel for the device " + parameter.device().str());
}

}  // namespace cryoscape::training
