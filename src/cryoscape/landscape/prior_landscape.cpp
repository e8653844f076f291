#include "cryoscape/landscape/prior_landscape.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>

#include "cryoscape/inference/prior_draws.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::landscape {
namespace {

constexpr std::size_t kWhitened = 4000;   ///< draws that the active directions are found from
constexpr Eigen::Index kExplored = 1500;  ///< draws that basins are found from
constexpr std::size_t kBitDraws = 4000;
constexpr double kSurfaceStep = 0.02;  ///< Å: well above the rounding of float32 decoders
constexpr StringLimits kPathLimits{21, 60, 0.2};

/// Latents (d, M) as the model takes them, (M, d).
std::vector<float> rows_of(const Points& latents) {
  const Eigen::MatrixXf values = latents.cast<float>();
  return {values.data(), values.data() + values.size()};
}

Points columns_from(const std::vector<float>& rows, std::int64_t dim) {
  return Eigen::Map<const Eigen::MatrixXf>(rows.data(), dim, static_cast<Eigen::Index>(rows.size()) / dim)
      .cast<double>();
}

Eigen::VectorXd prior_energy(latent::Prior& prior, const Points& latents) {
  torch::NoGradGuard no_grad;
  auto rows = rows_of(latents);
  const auto z = torch::from_blob(rows.data(), {latents.cols(), latents.rows()});
  const auto energy = prior.energy(z).to(torch::kDouble).contiguous();
  return Eigen::Map<const Eigen::VectorXd>(energy.data_ptr<double>(), latents.cols());
}

Eigen::MatrixXf decoded(model::HeterogeneityModel& model, const Points& latents) {
  const auto x = training::decode_latents(model, rows_of(latents));
  return Eigen::Map<const Eigen::MatrixXf>(x.data(), static_cast<Eigen::Index>(x.size()) / latents.cols(),
                                           latents.cols());
}

Points placed(const StructureSpace& space, const Eigen::MatrixXf& structures) {
  const auto c = project(space, {structures.data(), static_cast<std::size_t>(structures.size())});
  return Eigen::Map<const Eigen::MatrixXf>(c.data(), static_cast<Eigen::Index>(space.size()),
                                           structures.cols())
      .cast<double>();
}

void explore_reals(model::HeterogeneityModel& model, latent::Prior& prior, const StructureSpace& space,
                   double least_barrier, std::uint64_t seed, PriorLandscape& out) {
  const auto draws = columns_from(prior_draws(prior, kWhitened, seed), model.latent_dim());
  const auto conformations = std::make_shared<ConformationEnergy>(
      LatentModel{[&](const Points& z) { return prior_energy(prior, z); },
                  [&](const Points& z) { return decoded(model, z); }},
      draws, seed);
  const auto& energy = *conformations;
  out.active_directions = static_cast<std::size_t>(energy.active());
  out.directions = energy.directions();
  out.motion.assign(energy.motion().begin(), energy.motion().end());
  const Surface surface{energy.active(), [&](const Points& a) { return energy.energy(a); },
                        [&](const Points& a) { return placed(space, energy.structures(a)); }, kSurfaceStep};
  const auto found = explore(surface, energy.coordinates(draws.leftCols(std::min(kExplored, draws.cols()))),
                             least_barrier, kPathLimits);
  for (const auto& m : found.basins.minima)
    out.minima.push_back({m.energy, m.population, rows_of(energy.latents(m.point)), m.position, {}, {}, {}});
  for (const auto& p : found.pathways)
    out.paths.push_back({p.a,
                         p.b,
                         {p.path.energies.begin(), p.path.energies.end()},
                         p.path.lengths,
                         static_cast<std::size_t>(p.path.highest),
                         rows_of(energy.latents(p.path.images)),
                         p.path.converged,
                         {}});
  out.tree = found.tree;
  out.energy = [conformations, offset = found.basins.offset](const Points& z) -> Eigen::VectorXd {
    return conformations->energy(conformations->coordinates(z)).array() - offset;
  };
  out.basins_of = [graph = found.basins.graph](const Points& places) { return assign_basins(graph, places); };
  spdlog::info(
      "{} of {} directions of the latents move the molecule; importance weights keep {:.0f} % of draws",
      energy.active(), model.latent_dim(), 100 * energy.effective_share());
}

std::vector<double> lengths_of(const Points& positions) {
  std::vector<double> out{0};
  for (Eigen::Index i = 1; i < positions.cols(); ++i)
    out.push_back(out.back() + (positions.col(i) - positions.col(i - 1)).norm());
  return out;
}

void explore_bit_prior(model::HeterogeneityModel& model, latent::Prior& prior, const StructureSpace& space,
                       double least_barrier, std::uint64_t seed, PriorLandscape& out) {
  const auto draws = prior_draws(prior, kBitDraws, seed);
  const auto dim = static_cast<std::size_t>(model.latent_dim());
  std::vector<Bits> samples;
  for (std::size_t i = 0; i < draws.size(); i += dim) {
    auto& bits = samples.emplace_back();
    for (std::size_t k = 0; k < dim; ++k) bits += draws[i + k] > 0.5f ? '1' : '0';
  }
  const auto found =
      explore_bits([&](const Eigen::MatrixXd& z) { return prior_energy(prior, z); }, samples, least_barrier);
  for (const auto& m : found.minima) {
    const auto z = bit_columns({m.bits});
    out.minima.push_back(
        {m.energy, m.population, rows_of(z), placed(space, decoded(model, z)).col(0), {}, {}, {}});
  }
  for (const auto& p : found.pathways) {
    const auto z = bit_columns(p.path.states);
    const auto& e = p.path.energies;
    out.paths.push_back({p.a,
                         p.b,
                         e,
                         lengths_of(placed(space, decoded(model, z))),
                         static_cast<std::size_t>(std::max_element(e.begin(), e.end()) - e.begin()),
                         rows_of(z),
                         p.path.exact,
                         {}});
  }
  out.tree = found.tree;
}

/// Why a run's prior has no landscape; empty where it has one.
std::string obstacle(const training::Run& run) {
  auto& prior = run.model->prior();
  if (run.settings.training.energy_in_prior)
    return "the prior holds the restraints' energy (--energy-in-prior), whose surface is not explored";
  if (prior.bits() > 0 && prior.bits() < prior.dim())
    return "the prior mixes bits and real latents, whose surface is not explored";
  return "";
}

}  // namespace

std::vector<float> prior_draws(latent::Prior& prior, std::size_t count, std::uint64_t seed) {
  const auto z = inference::prior_draws(prior, static_cast<std::int64_t>(count), seed);
  return {z.data_ptr<float>(), z.data_ptr<float>() + z.numel()};
}

PriorLandscape explore_prior(training::Run& run, latent::Prior& prior, const StructureSpace& space,
                             double least_barrier, std::uint64_t seed) {
  PriorLandscape out;
  out.notice = obstacle(run);
  if (!out.notice.empty()) return out;
  try {
    if (prior.bits() > 0)
      explore_bit_prior(*run.model, prior, space, least_barrier, seed, out);
    else
      explore_reals(*run.model, prior, space, least_barrier, seed, out);
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    // A decoder that moves nothing has no landscape, but still has all that does not need one.
    out = {};
    out.notice = error.what();
  }
  return out;
}

}  // namespace cryoscape::landscape
