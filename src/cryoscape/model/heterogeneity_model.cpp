#include "cryoscape/model/heterogeneity_model.hpp"

#include "cryoscape/latent/encoder_output.hpp"
#include "cryoscape/model/known_gradient.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::model {
namespace {

constexpr double kLatticeMargin = 16, kLatticeMinSpacing = 4;  // Å
constexpr int kLatticePoints = 1500;

/// DeviceLikelihood::score by the CPU's kernel.
DeviceScores kernel_scores(HeterogeneityModel& model, const LikelihoodOptions& options,
                           const torch::Tensor& coordinates, const particles::Batch& batch,
                           DeviceRequest request) {
  const auto x = coordinates.detach().contiguous();
  DeviceScores found;
  for (auto* t : {&found.log_likelihood, &found.contrast, &found.chi_square}) *t = torch::empty({x.size(0)});
  if (request.gradient) found.coordinate_gradient = torch::empty_like(x);
  const LikelihoodOutput output{found.log_likelihood.data_ptr<float>(),
                                request.gradient ? found.coordinate_gradient.data_ptr<float>() : nullptr,
                                found.contrast.data_ptr<float>(), found.chi_square.data_ptr<float>(),
                                request.sums ? &found.sums : nullptr};
  evaluate_likelihood(model.projection(), model.scene().amplitudes, model.spectral(), options, view(batch, x),
                      output);
  return found;
}

void check_groups(const ModelOptions& options, const latent::Prior& prior) {
  if (options.posterior_groups == 1) return;
  if (!prior.takes_bit_groups())
    throw UsageError(fmt::format(
        "--posterior-groups needs bits with pair couplings (--prior bernoulli, rbm, boltzmann or qbm) and "
        "--smoothing overlapping-exp or power: not --prior {} with --smoothing {}",
        options.prior.kind, options.prior.smoothing.kind));
  if (options.posterior_groups > prior.bits())
    throw UsageError(fmt::format("--posterior-groups {} are more than there are bits: {}",
                                 options.posterior_groups, prior.bits()));
}

}  // namespace

BatchView view(const particles::Batch& batch, const torch::Tensor& coordinates) {
  BatchView v;
  v.size = static_cast<int>(batch.indices.size(0));
  v.coordinates = coordinates.defined() ? coordinates.data_ptr<float>() : nullptr;
  v.rotations = batch.rotations.data_ptr<float>();
  v.shifts = batch.shifts.data_ptr<float>();
  v.spectra = reinterpret_cast<const std::complex<float>*>(batch.spectra.data_ptr<c10::complex<float>>());
  v.ctf = batch.ctf.data_ptr<float>();
  if (batch.wide_ctf.defined()) v.wide_ctf = batch.wide_ctf.data_ptr<float>();
  v.groups = batch.groups.data_ptr<std::int64_t>();
  return v;
}

HeterogeneityModel::HeterogeneityModel(const ModelOptions& options, Scene scene, std::uint64_t seed)
    : options_(options),
      scene_(std::move(scene)),
      spectral_(scene_.box, scene_.max_shell, scene_.optics_groups) {
  auto prior_options = options_.prior;
  prior_options.dim = options_.latent_dim;
  prior_ = register_module("prior", latent::make_prior(prior_options, seed));
  latent_dim_ = prior_->dim();
  check_groups(options_, *prior_);
  torch::manual_seed(seed);
  const bool raw = options_.encoder_input == "image";
  if (!raw)
    lattice_ = make_feature_lattice(scene_.coordinates, kLatticeMargin, kLatticeMinSpacing, kLatticePoints);
  const auto features = raw ? static_cast<std::int64_t>(scene_.box) * scene_.box
                            : static_cast<std::int64_t>(lattice_.size()) + 9;
  const auto precision = options_.encoder_precision == "bfloat16" ? Precision::bfloat16 : Precision::float32;
  encoder_ =
      register_module("encoder", make_mlp_encoder(features, 2 * latent_dim_ - prior_->bits(), precision));
  if (options_.posterior_groups > 1)
    groups_ = register_module(
        "groups", std::make_shared<latent::BitGroups>(prior_->bits(), options_.posterior_groups, seed));
  const auto beads = static_cast<std::int64_t>(scene_.beads());
  decoder_ = register_module("decoder", make_residue_decoder(latent_dim_, beads));
  reference_ = register_buffer("reference", torch::tensor(scene_.coordinates).view({1, beads, 3}));
}

void HeterogeneityModel::move_to(torch::Device device, bool tensors) {
  to(device);
  device_likelihood_.reset();
  device_backprojection_.reset();
  if (device.is_cpu() && !tensors) return;
  const int last = spectral_.max_shell();
  device_likelihood_ = std::make_unique<DeviceLikelihood>(projection(), scene_.amplitudes, last, device);
  if (lattice_.size() > 0)
    device_backprojection_ = std::make_unique<DeviceBackprojection>(lattice_, projection(), last, device);
}

/// The image's part of the features, (B, V).
torch::Tensor HeterogeneityModel::lattice_values(const particles::Batch& batch) const {
  if (device_backprojection_) return device_backprojection_->features(spectral_, batch);
  auto values = torch::empty({batch.indices.size(0), static_cast<std::int64_t>(lattice_.size())});
  backproject_features(lattice_, projection(), spectral_, view(batch, {}),
                       {values.data_ptr<float>(), static_cast<std::size_t>(values.numel())});
  return values;
}

torch::Tensor HeterogeneityModel::encoder_features(const particles::Batch& batch) const {
  const auto size = batch.indices.size(0);
  if (options_.encoder_input == "image") return batch.images.flatten(1);
  return torch::cat({lattice_values(batch), batch.rotations.view({size, 9})}, 1);
}

latent::Posterior HeterogeneityModel::encode(const particles::Batch& batch) {
  auto posterior =
      latent::posterior_of(encoder_->forward(encoder_features(batch)), prior_->bits(), latent_dim_);
  posterior.groups = groups_;
  return posterior;
}

torch::Tensor HeterogeneityModel::decoder_input(const torch::Tensor& latents) const {
  const auto bits = prior_->bits();
  if (bits == 0) return latents;
  const auto spins = 2 * latents.narrow(1, 0, bits) - 1;
  return bits == latent_dim_ ? spins : torch::cat({spins, latents.narrow(1, bits, latent_dim_ - bits)}, 1);
}

torch::Tensor HeterogeneityModel::decode(const torch::Tensor& latents) {
  return reference_ +
         decoder_->forward(decoder_input(latents)).view({latents.size(0), reference_.size(1), 3});
}

std::pair<torch::Tensor, torch::Tensor> HeterogeneityModel::decode_split(const torch::Tensor& latents) {
  const auto [full, decoder_only] = decoder_->forward_split(decoder_input(latents));
  const std::vector<std::int64_t> shape{latents.size(0), reference_.size(1), 3};
  return {reference_ + full.view(shape), reference_ + decoder_only.view(shape)};
}

std::pair<torch::Tensor, torch::Tensor> HeterogeneityModel::decode_with_jacobian(
    const torch::Tensor& latents) const {
  torch::NoGradGuard no_grad;
  auto scale = torch::ones({latent_dim_}, latents.options());
  scale.narrow(0, 0, prior_->bits()).fill_(2);  // decoder_input() takes bits to spins
  const auto tangents = torch::diag(scale).expand({latents.size(0), -1, -1}).contiguous();
  const auto [moved, along] = decoder_->forward_tangent(decoder_input(latents), tangents);
  const auto rows = latents.size(0), beads = reference_.size(1);
  return {reference_ + moved.view({rows, beads, 3}), along.view({rows, latent_dim_, beads, 3})};
}

Scores HeterogeneityModel::score(const torch::Tensor& coordinates, const particles::Batch& batch,
                                 bool with_sums, Score how) {
  auto options = likelihood_options();
  if (how == Score::fixed_contrast) options.contrast_sd = 0;
  const DeviceRequest request{torch::GradMode::is_enabled() && coordinates.requires_grad(), with_sums};
  auto found = device_likelihood_ ? device_likelihood_->score(spectral_, options, coordinates, batch, request)
                                  : kernel_scores(*this, options, coordinates, batch, request);
  Scores scores;
  scores.log_likelihood =
      request.gradient ? KnownGradient::apply(coordinates, found.log_likelihood, found.coordinate_gradient)
                       : found.log_likelihood;
  scores.contrast = found.contrast, scores.chi_square = found.chi_square;
  scores.sums = std::move(found.sums);
  return scores;
}

projection::ProjectionSpec HeterogeneityModel::projection() const {
  projection::ProjectionSpec spec;
  spec.box = scene_.box;
  spec.pixel_size = static_cast<float>(scene_.pixel_size);
  spec.sigma = static_cast<float>(options_.bead_sigma);
  return spec;
}

LikelihoodOptions HeterogeneityModel::likelihood_options() const {
  LikelihoodOptions likelihood;
  if (options_.no_contrast) likelihood.contrast_sd = 0;
  likelihood.correlation = options_.likelihood == "correlation";
  return likelihood;
}

std::vector<torch::Tensor> HeterogeneityModel::network_parameters() const {
  auto parameters = encoder_->parameters();
  for (auto& p : decoder_->parameters()) parameters.push_back(p);
  if (groups_)
    for (auto& p : groups_->parameters()) parameters.push_back(p);
  return parameters;
}

}  // namespace cryoscape::model
