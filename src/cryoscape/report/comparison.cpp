#include "cryoscape/report/comparison.hpp"

#include <algorithm>
#include <cmath>

#include "cryoscape/inference/refitted_prior.hpp"
#include "cryoscape/io/npy.hpp"
#include "cryoscape/report/found_states.hpp"
#include "cryoscape/report/rand_index.hpp"
#include "cryoscape/report/rank_auc.hpp"
#include "cryoscape/report/run_record.hpp"
#include "cryoscape/report/structure_scores.hpp"
#include "cryoscape/training/run_latents.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::report {
namespace {

constexpr std::size_t kMostStructures = 20000;

std::optional<double> finite(double value) {
  return std::isfinite(value) ? std::optional<double>(value) : std::nullopt;
}

void copy_training(const TrainingRecord& training, RunScores& scores) {
  if (training.epochs.empty()) return;
  scores.held_out_bound = finite(training.epochs.back().held_out_bound);
  scores.images_per_second = finite(training.epochs.back().images_per_second);
  scores.latents = training.latents;
  const auto& log_z = training.partition;
  if (std::isfinite(log_z.lower) && std::isfinite(log_z.upper))
    scores.log_partition = {log_z.lower, log_z.upper};
}

/// Rows with a molecule in them and finite latents.
std::vector<std::size_t> comparable_rows(const io::FloatMatrix& latents, const ParticleTruth& truth) {
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const auto begin = latents.values.begin() + static_cast<std::ptrdiff_t>(i * latents.columns);
    const bool usable = std::all_of(begin, begin + static_cast<std::ptrdiff_t>(latents.columns),
                                    [](float v) { return std::isfinite(v); });
    if (usable && !truth.junk[i]) rows.push_back(i);
  }
  return rows;
}

std::vector<std::size_t> evenly(const std::vector<std::size_t>& rows, std::size_t most) {
  if (rows.size() <= most) return rows;
  std::vector<std::size_t> out;
  for (std::size_t k = 0; k < most; ++k) out.push_back(rows[k * rows.size() / most]);
  return out;
}

template <class T>
std::vector<T> at_rows(const std::vector<T>& values, std::span<const std::size_t> rows) {
  std::vector<T> out;
  for (const auto row : rows) out.push_back(values[row]);
  return out;
}

/// Decoded structures of the given rows against the true ones, and the rows that need no method.
void score_structures(training::Run& run, const io::FloatMatrix& latents, const simulation::Scene& scene,
                      std::span<const std::size_t> rows, std::span<const double> models,
                      std::span<const int> states, TruthScores& scores) {
  const auto decode = [&](std::size_t begin, std::size_t end) {
    std::vector<float> z;
    for (auto i = begin; i < end; ++i) {
      const auto row = latents.values.begin() + static_cast<std::ptrdiff_t>(rows[i] * latents.columns);
      z.insert(z.end(), row, row + static_cast<std::ptrdiff_t>(latents.columns));
    }
    return training::decode_latents(*run.model, z);
  };
  const auto errors = compare_structures(scene, models, decode);
  scores.particles = rows.size();
  scores.median_rmsd = median(errors.rmsd);
  scores.mean_rmsd = mean(errors.rmsd);
  scores.path_error = path_error(scene, models, errors.position);
  std::vector<double> positions;
  for (const double m : models) positions.push_back(scene.path().position_of_model(m));
  if (!errors.position.empty())
    scores.path_correlation_within_state = correlation_within_states(positions, errors.position, states);
  if (!models.empty())
    scores.median_rmsd_one_structure = median(distances_from(scene, models, mean_structure(scene, models)));
}

/// Share of each true state among all comparable particles, not only those whose structures were compared.
void count_populations(std::span<const int> states, std::vector<TrueState>& truth) {
  for (auto& state : truth)
    state.population = static_cast<double>(std::count(states.begin(), states.end(), state.id)) /
                       static_cast<double>(states.size());
}

std::optional<double> state_agreement(const std::vector<int>& assigned, const std::vector<int>& truth,
                                      std::span<const std::size_t> rows) {
  std::vector<int> a, b;
  for (const auto row : rows)
    if (assigned[row] > 0 && truth[row] > 0) a.push_back(assigned[row]), b.push_back(truth[row]);
  if (a.size() < 2) return std::nullopt;
  return adjusted_rand_index(a, b);
}

void check_beads(const training::Run& run, const TruthData& truth) {
  const auto beads = run.model->scene().beads();
  if (beads == truth.beads()) return;
  fail(
      "{} has {} beads ({}), but --models have {} residue beads: give the models of the molecule it was "
      "trained on",
      run.folder.path().string(), beads, run.settings.input.beads, truth.beads());
}

/// The prior's energy at the posterior mean, higher for what it thinks unlikely.
std::vector<double> prior_energies(training::Run& run, const io::FloatMatrix& latents) {
  torch::NoGradGuard no_grad;
  const auto z =
      torch::from_blob(const_cast<float*>(latents.values.data()),
                       {static_cast<std::int64_t>(latents.rows), static_cast<std::int64_t>(latents.columns)});
  return latent::values_of(run.model->prior().energy(z));
}

/// Evidence against particles, from the first column of outliers.npy; nothing before `landscape`.
std::optional<std::vector<double>> outlier_scores(const training::Run& run) {
  const auto path = run.folder.file("outliers.npy");
  if (!std::filesystem::exists(path)) return std::nullopt;
  const auto table = io::read_npy_matrix(path);
  if (table.rows != run.data.particles.size())
    fail("{} has {} rows, but the run has {} particles: run cryoscape landscape again", path.string(),
         table.rows, run.data.particles.size());
  std::vector<double> out;
  for (std::size_t i = 0; i < table.rows; ++i) out.push_back(-table.values[i * table.columns]);
  return out;
}

/// Of the particles marked among those and the molecules.
std::optional<double> outlier_auc(std::span<const double> scores, const std::vector<bool>& marked,
                                  const std::vector<bool>& junk) {
  std::vector<double> compared;
  std::vector<bool> high;
  for (std::size_t i = 0; i < scores.size(); ++i)
    if (std::isfinite(scores[i]) && (marked[i] || !junk[i]))
      compared.push_back(scores[i]), high.push_back(marked[i]);
  return rank_auc(compared, high);
}

void score_outliers(training::Run& run, const io::FloatMatrix& latents, const ParticleTruth& truth,
                    TruthScores& scores) {
  const auto energies = prior_energies(run, latents);
  const auto score = outlier_scores(run).value_or(energies);
  std::vector<bool> noise;
  for (std::size_t i = 0; i < truth.size(); ++i) noise.push_back(truth.junk[i] && !truth.wrong_molecule[i]);
  scores.outlier_auc = outlier_auc(score, truth.junk, truth.junk);
  scores.outlier_auc_noise = outlier_auc(score, noise, truth.junk);
  scores.outlier_auc_wrong_molecule = outlier_auc(score, truth.wrong_molecule, truth.junk);
  scores.outlier_auc_energy = outlier_auc(energies, truth.junk, truth.junk);
}

std::optional<SampleQuality> score_samples(training::Run& run) {
  const auto path = run.folder.file(inference::density_samples(run));
  if (!std::filesystem::exists(path)) return std::nullopt;
  const auto z = io::read_npy_matrix(path);
  return sample_quality(training::decode_latents(*run.model, z.values),
                        training::restraints_of(run.data, run.settings.training));
}

TruthScores score_against(training::Run& run, const RunRecord& record, const TruthData& truth,
                          std::optional<std::vector<FoundState>>& found) {
  check_beads(run, truth);
  const auto latents = training::read_latents(run, training::best_latents(run));
  const auto particles = truth_of(run.data.particles, truth);
  const auto comparable = comparable_rows(latents, particles), rows = evenly(comparable, kMostStructures);
  const auto models = at_rows(particles.model, rows);
  const auto states = at_rows(particles.state, rows);

  TruthScores scores;
  score_structures(run, latents, truth.scene, rows, models, states, scores);
  auto true_ones = true_states(truth.scene, models, states);
  scores.median_rmsd_structure_per_state =
      median(distances_from_states(truth.scene, models, states, true_ones));
  count_populations(at_rows(particles.state, comparable), true_ones);
  if (found) {
    read_state_models(record, truth.beads(), *found);
    scores.states = match_states(true_ones, *found);
    scores.population_error = population_error(scores.states);
  }
  if (const auto assigned = read_assignments(record.folder, particles.size()))
    scores.state_ari = state_agreement(*assigned, particles.state, comparable);
  score_outliers(run, latents, particles, scores);
  scores.path = score_path(run, record, truth, particles);
  return scores;
}

}  // namespace

RunScores score_run(const std::filesystem::path& path, const std::optional<TruthData>& truth) {
  const auto folder = training::RunFolder::open(path);
  const auto config = training::read_config(folder);
  const auto record = read_run_record(path);
  RunScores scores;
  scores.run = path;
  scores.prior = config.settings.model.prior.kind;
  copy_training(record.training, scores);
  scores.held_out = read_held_out(folder, config);
  if (record.states) scores.found = found_states(record);
  if (!truth) return scores;
  auto run = training::open_run(record.folder);
  scores.truth = score_against(run, record, *truth, scores.found);
  scores.samples = score_samples(run);
  return scores;
}

}  // namespace cryoscape::report
