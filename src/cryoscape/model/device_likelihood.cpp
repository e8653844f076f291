#include "cryoscape/model/device_likelihood.hpp"

#include "cryoscape/model/contrast.hpp"
#include "cryoscape/projection/tensor_projection.hpp"

namespace cryoscape::model {
namespace {

/// Σ over an image's coefficients in float64, (B).
torch::Tensor total(const torch::Tensor& values) { return values.sum({1, 2}, false, torch::kFloat64); }

/// A number per particle, against (B, D, K) float32.
torch::Tensor per_image(const torch::Tensor& values) { return values.to(torch::kFloat32).view({-1, 1, 1}); }

/// WideCtf (wide_ctf.hpp) of a batch: images (B, D, D), ctf (B, 2D, D+1).
torch::Tensor filter_wide(const torch::Tensor& ctf, const torch::Tensor& images) {
  const auto box = images.size(1), margin = box / 2;
  const auto wide = torch::constant_pad_nd(images, {margin, box - margin, margin, box - margin});
  const auto filtered = torch::fft_irfft2(torch::fft_rfft2(wide) * ctf, c10::IntArrayRef({2 * box, 2 * box}));
  return filtered.narrow(1, margin, box).narrow(2, margin, box);
}

}  // namespace

DeviceLikelihood::DeviceLikelihood(const projection::ProjectionSpec& projection,
                                   std::span<const float> amplitudes, int max_shell, torch::Device device)
    : projection_(projection),
      amplitudes_(torch::tensor(std::vector<float>(amplitudes.begin(), amplitudes.end())).to(device)),
      tensors_(projection.box, max_shell, device) {}

/// The predicted spectra without the gain, Q.
torch::Tensor DeviceLikelihood::predict(const torch::Tensor& images, const particles::Batch& batch) const {
  if (batch.wide_ctf.defined()) return torch::fft_rfft2(filter_wide(batch.wide_ctf, images));
  return torch::fft_rfft2(images) * batch.ctf;
}

/// Image gradients (B, D, D) from the scores' derivatives by Q, over their multiplicity: the half-complex
/// inverse implies it.
torch::Tensor DeviceLikelihood::pull_back(torch::Tensor spectra, const particles::Batch& batch) const {
  const std::int64_t box = projection_.box;
  const bool wide = batch.wide_ctf.defined();
  if (!wide) spectra = spectra * batch.ctf;
  const auto images =
      static_cast<double>(box * box) * torch::fft_irfft2(spectra, c10::IntArrayRef({box, box}));
  return wide ? filter_wide(batch.wide_ctf, images) : images;
}

DeviceScores DeviceLikelihood::score(const SpectralModel& spectral, const LikelihoodOptions& options,
                                     const torch::Tensor& coordinates, const particles::Batch& batch,
                                     DeviceRequest request) const {
  const torch::NoGradGuard no_gradients;
  const projection::BeadTensors beads{amplitudes_, coordinates.detach(), batch.rotations, batch.shifts};
  const auto& data = batch.spectra;
  const auto prediction = predict(projection::project_tensors(projection_, beads), batch);
  const auto gain = tensors_.spread(tensors_.gain(spectral), batch.groups);
  // Shells that take no part have a count of 0, so their weight does not matter.
  const auto weight = options.correlation
                          ? torch::ones_like(gain)
                          : 1 / tensors_.spread(tensors_.power(spectral), batch.groups).clamp_min(1e-30);
  const auto present = measured(data), count = tensors_.counted() * present, w = count * weight;
  const auto a = total(w * square_modulus(data)),
             b = total(w * gain * real_part_of_product(data, prediction)),
             c = total(w * gain * gain * square_modulus(prediction));
  const auto contrast = options.correlation ? score_correlation(a, b, c)
                                            : score_gaussian(a, b, c, options.contrast_sd,
                                                             tensors_.log_normaliser(spectral, batch.groups));
  DeviceScores out;
  out.log_likelihood = contrast.score.to(torch::kFloat32);
  out.contrast = contrast.mean.to(torch::kFloat32);
  const auto square = contrast.mean * contrast.mean;
  out.chi_square = ((a - 2 * contrast.mean * b + square * c) / total(count).clamp_min(1)).to(torch::kFloat32);
  if (request.sums)
    out.sums = sums(spectral, batch, present, prediction, contrast.mean, square + contrast.variance);
  if (request.gradient) {
    // ∂score/∂Q = h·w·(∂_b X + 2 ∂_c h Q).
    const auto outer = (count > 0).to(torch::kFloat32) * weight * gain *
                       (per_image(contrast.d_b) * data + per_image(2 * contrast.d_c) * gain * prediction);
    out.coordinate_gradient =
        projection::project_tensors_backward(projection_, beads, pull_back(outer, batch));
  }
  return out;
}

std::vector<SpectralSums> DeviceLikelihood::sums(const SpectralModel& spectral, const particles::Batch& batch,
                                                 const torch::Tensor& measured,
                                                 const torch::Tensor& prediction, const torch::Tensor& mean,
                                                 const torch::Tensor& mean_square) const {
  const auto by_shell = [&](const torch::Tensor& values) {
    return tensors_.by_shell(values).to(torch::kFloat64);
  };
  const auto& data = batch.spectra;
  const auto rows =
      torch::stack({by_shell(measured * square_modulus(data)),
                    mean.unsqueeze(1) * by_shell(measured * real_part_of_product(data, prediction)),
                    mean_square.unsqueeze(1) * by_shell(measured * square_modulus(prediction)),
                    by_shell(measured)});  // (4, B, shells)
  const auto members = torch::one_hot(batch.groups, spectral.groups()).to(torch::kFloat64).t();
  // One copy to the host, small: groups × shells.
  const auto table = torch::matmul(members, rows).to(torch::kCPU).contiguous();
  const auto size = static_cast<std::size_t>(spectral.groups()) * spectral.shells();
  const double* v = table.data_ptr<double>();
  std::vector<SpectralSums> out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = {v[i], v[size + i], v[2 * size + i], v[3 * size + i]};
  return out;
}

}  // namespace cryoscape::model
