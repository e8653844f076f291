#include "cryoscape/model/device_backprojection.hpp"

#include <cmath>
#include <numbers>

#include "cryoscape/optics/spectrum.hpp"

namespace cryoscape::model {
namespace {

/// exp(−2π²σ²f²) of every coefficient, (D, K); sigma in Å.
torch::Tensor bead_transform(int box, double pixel_size, double sigma) {
  auto out = torch::empty({box, box / 2 + 1});
  float* value = out.data_ptr<float>();
  for (int row = 0; row < box; ++row)
    for (int kx = 0; kx <= box / 2; ++kx) {
      const double ky = optics::row_frequency(row, box),
                   f2 = (kx * kx + ky * ky) / (box * pixel_size * box * pixel_size);
      *value++ = static_cast<float>(std::exp(-2 * std::numbers::pi * std::numbers::pi * sigma * sigma * f2));
    }
  return out;
}

}  // namespace

DeviceBackprojection::DeviceBackprojection(const FeatureLattice& lattice,
                                           const projection::ProjectionSpec& projection, int max_shell,
                                           torch::Device device)
    : projection_(projection),
      tensors_(projection.box, max_shell, device),
      points_(torch::tensor(lattice.points).view({-1, 3}).to(device)) {
  const double sigma = std::max<double>(projection.sigma, 0.5 * lattice.spacing);
  bead_ = bead_transform(projection.box, projection.pixel_size, sigma).to(device) *
          (tensors_.counted() > 0).to(torch::kFloat32);
}

torch::Tensor DeviceBackprojection::features(const SpectralModel& spectral,
                                             const particles::Batch& batch) const {
  const torch::NoGradGuard no_gradients;
  const std::int64_t box = projection_.box;
  const auto power = tensors_.power(spectral).clamp_min(1e-30);
  const auto factor =
      tensors_.spread(tensors_.gain(spectral) / power, batch.groups) * bead_ * batch.ctf;  // (B, D, K)
  const auto noise = tensors_.counted() * measured(batch.spectra) * tensors_.spread(power, batch.groups);
  const auto variance = (noise * factor * factor).sum({1, 2}, false, torch::kFloat64).clamp_min(1e-30);
  const auto images = torch::fft_irfft2(factor * batch.spectra, c10::IntArrayRef({box, box}));
  const auto scale = static_cast<double>(box * box) / torch::sqrt(variance);
  return read_at_points(images, batch) * scale.to(torch::kFloat32).unsqueeze(1);
}

/// Bilinear values (B, V) of images (B, D, D) at the projections of the points, 0 outside.
torch::Tensor DeviceBackprojection::read_at_points(const torch::Tensor& images,
                                                   const particles::Batch& batch) const {
  const std::int64_t box = projection_.box;
  const auto rotated = torch::matmul(points_, batch.rotations.transpose(1, 2)).narrow(2, 0, 2);
  const auto positions =
      (rotated - batch.shifts.unsqueeze(1)) / projection_.pixel_size + 0.5 * static_cast<double>(box);
  const auto inside = torch::logical_and(positions >= 0, positions < static_cast<double>(box - 1)).all(2);
  const auto safe = torch::where(inside.unsqueeze(2), positions, torch::zeros_like(positions));
  const auto pixel = safe.floor(), fraction = safe - pixel;
  const auto fx = fraction.select(2, 0), fy = fraction.select(2, 1);
  const auto first = (pixel.select(2, 1) * box + pixel.select(2, 0)).to(torch::kInt64);
  const auto flat = images.reshape({images.size(0), box * box});
  const auto at = [&](std::int64_t offset) { return flat.gather(1, first + offset); };
  const auto value =
      (1 - fy) * ((1 - fx) * at(0) + fx * at(1)) + fy * ((1 - fx) * at(box) + fx * at(box + 1));
  return value * inside.to(torch::kFloat32);
}

}  // namespace cryoscape::model
