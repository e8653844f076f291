#include "cryoscape/projection/tensor_projection.hpp"

#include <stdexcept>

#include "cryoscape/projection/kernel.hpp"
#ifdef CRYOSCAPE_CUDA
#include "cryoscape/projection/cuda/project.hpp"
#include "cryoscape/projection/cuda/torch_launch.hpp"
#endif

namespace cryoscape::projection {
namespace {

BeadTensors contiguous(const BeadTensors& beads) {
  return {beads.amplitudes.contiguous(), beads.coordinates.detach().contiguous(),
          beads.rotations.contiguous(), beads.shifts.contiguous()};
}

std::span<const float> amplitudes_of(const BeadTensors& beads) {
  return {beads.amplitudes.data_ptr<float>(), static_cast<std::size_t>(beads.amplitudes.numel())};
}

#ifdef CRYOSCAPE_CUDA
cuda::DeviceBeads device_beads(const BeadTensors& beads) {
  return {static_cast<int>(beads.coordinates.size(0)), static_cast<int>(beads.coordinates.size(1)),
          beads.amplitudes.data_ptr<float>(),          beads.coordinates.data_ptr<float>(),
          beads.rotations.data_ptr<float>(),           beads.shifts.data_ptr<float>()};
}
#endif

[[noreturn]] void refuse(const torch::Tensor& tensor) {
  throw std::logic_error("no projection kernel for the device " + tensor.device().str());
}

}  // namespace

torch::Tensor project_tensors(const ProjectionSpec& spec, const BeadTensors& given) {
  const auto beads = contiguous(given);
  const auto& x = beads.coordinates;
  auto images = torch::empty({x.size(0), spec.box, spec.box}, x.options());
  if (x.is_cpu()) {
    project(spec, amplitudes_of(beads), static_cast<int>(x.size(0)), x.data_ptr<float>(),
            beads.rotations.data_ptr<float>(), beads.shifts.data_ptr<float>(), images.data_ptr<float>());
    return images;
  }
#ifdef CRYOSCAPE_CUDA
  if (x.is_cuda()) {
    const cryoscape::cuda::TensorLaunch launch(x);
    cuda::project(spec, device_beads(beads), images.data_ptr<float>(), launch.stream());
    return images;
  }
#endif
  refuse(x);
}

torch::Tensor project_tensors_backward(const ProjectionSpec& spec, const BeadTensors& given,
                                       const torch::Tensor& image_gradients) {
  const auto beads = contiguous(given);
  const auto& x = beads.coordinates;
  const auto outer = image_gradients.contiguous();
  auto gradient = torch::empty_like(x);
  if (x.is_cpu()) {
    project_backward(spec, amplitudes_of(beads), static_cast<int>(x.size(0)), x.data_ptr<float>(),
                     beads.rotations.data_ptr<float>(), beads.shifts.data_ptr<float>(),
                     outer.data_ptr<float>(), gradient.data_ptr<float>());
    return gradient;
  }
#ifdef CRYOSCAPE_CUDA
  if (x.is_cuda()) {
    const cryoscape::cuda::TensorLaunch launch(x);
    cuda::project_backward(spec, device_beads(beads), outer.data_ptr<float>(), gradient.data_ptr<float>(),
                           launch.stream());
    return gradient;
  }
#endif
  refuse(x);
}

}  // namespace cryoscape::projection
