#include "cryoscape/projection/reference.hpp"

#include <numbers>

namespace cryoscape::projection {

torch::Tensor project_reference(const ProjectionSpec& spec, const torch::Tensor& amplitudes,
                                const torch::Tensor& coordinates, const torch::Tensor& rotations,
                                const torch::Tensor& shifts, bool window) {
  const double sigma = spec.sigma / spec.pixel_size;
  const auto rotated = torch::bmm(coordinates, rotations.transpose(1, 2)).narrow(2, 0, 2);  // (B, N, 2)
  const auto positions = (rotated - shifts.unsqueeze(1)) / spec.pixel_size + 0.5 * spec.box;
  const auto pixels = torch::arange(spec.box, coordinates.options());
  const auto profile = [&](int axis) {  // (B, N, D)
    const auto position = positions.select(2, axis).unsqueeze(-1), offset = pixels - position;
    auto value = torch::exp(-0.5 / (sigma * sigma) * offset * offset);
    if (!window) return value;
    return value * ((pixels - position.detach().round()).abs() <= window_reach(spec)).to(value.dtype());
  };
  const auto weighted = profile(0) * (amplitudes / (2 * std::numbers::pi * sigma * sigma)).view({1, -1, 1});
  return torch::bmm(profile(1).transpose(1, 2), weighted);
}

}  // namespace cryoscape::projection
