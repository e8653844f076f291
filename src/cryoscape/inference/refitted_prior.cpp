#include "cryoscape/inference/refitted_prior.hpp"

#include <spdlog/spdlog.h>

#include <exception>

#include "cryoscape/inference/module_state.hpp"
#include "cryoscape/inference/prior_draws.hpp"
#include "cryoscape/io/npy.hpp"
#include "cryoscape/training/archive_file.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/files.hpp"

namespace cryoscape::inference {
namespace {
namespace fs = std::filesystem;

constexpr std::int64_t kSamples = 1000;
constexpr const char* kFile = "refitted_prior.pt";
constexpr const char* kSamplesFile = "refitted_prior_samples.npy";
constexpr const char* kReportFile = "refitted_prior.json";

/// One row per component: weight, mean, covariance.
torch::Tensor table_of(const GaussianMixture& mixture) {
  const auto k = static_cast<std::int64_t>(mixture.size()), d = k > 0 ? mixture[0].mean.size() : 0;
  auto table = torch::empty({k, 1 + d + d * d}, torch::kFloat64);
  for (std::int64_t c = 0; c < k; ++c) {
    auto* row = table[c].data_ptr<double>();
    const auto& component = mixture[static_cast<std::size_t>(c)];
    *row = component.weight;
    Eigen::Map<Eigen::VectorXd>(row + 1, d) = component.mean;
    Eigen::Map<Eigen::MatrixXd>(row + 1 + d, d, d) = component.covariance;
  }
  return table;
}

GaussianMixture mixture_of(const torch::Tensor& table, std::int64_t d) {
  if (table.size(0) > 0 && table.size(1) != 1 + d + d * d)
    throw std::invalid_argument("a mixture of other dimensions");
  GaussianMixture out;
  for (std::int64_t c = 0; c < table.size(0); ++c) {
    const auto* row = table[c].data_ptr<double>();
    out.push_back({*row, Eigen::Map<const Eigen::VectorXd>(row + 1, d),
                   Eigen::Map<const Eigen::MatrixXd>(row + 1 + d, d, d)});
  }
  return out;
}

/// Whether there is one that is not older than the model whose likelihoods it was fitted to.
bool is_current(const training::RunFolder& folder) {
  const auto path = folder.file(kFile);
  if (!fs::exists(path)) return false;
  const auto newer = [&](const char* model) {
    return fs::exists(folder.file(model)) && fs::last_write_time(path) < fs::last_write_time(folder.file(model));
  };
  return !newer("checkpoint.pt") && !newer("refined_decoder.pt");
}

RefittedPrior read(const training::Run& run, const fs::path& path) {
  RefittedPrior out;
  out.options = run.settings.model.prior;
  out.options.dim = run.settings.model.latent_dim;
  torch::serialize::InputArchive archive;
  archive.load_from(path.string(), torch::kCPU);
  c10::IValue kind, components, state, reference;
  archive.read("kind", kind), archive.read("components", components);
  archive.read("state", state), archive.read("reference", reference);
  out.options.kind = kind.toStringRef();
  out.options.components = static_cast<int>(components.toInt());
  out.prior = latent::make_prior(out.options, static_cast<std::uint64_t>(run.settings.training.seed));
  set_state(*out.prior, state.toTensorVector());
  out.reference = mixture_of(reference.toTensor(), out.prior->dim());
  return out;
}

RefittedPrior refit(training::Run& run, const RefitOptions& options) {
  const auto likelihood = run.folder.file("likelihood");
  if (run.model->prior().bits() > 0) return refit_prior(run, read_scored_draws(likelihood), options);
  return refit_prior(run, informed_expansions(run), options);
}

}  // namespace

void write_refitted_prior(const training::Run& run, const RefittedPrior& refitted) {
  const auto z =
      prior_draws(*refitted.prior, kSamples, static_cast<std::uint64_t>(run.settings.training.seed) + 81);
  torch::serialize::OutputArchive archive;
  archive.write("kind", c10::IValue(refitted.options.kind));
  archive.write("components", c10::IValue(static_cast<std::int64_t>(refitted.options.components)));
  archive.write("state", state_of(*refitted.prior));
  archive.write("reference", c10::IValue(table_of(refitted.reference)));
  training::write_archive(run.folder.file(kFile), archive);
  io::write_npy(run.folder.file(kSamplesFile),
                {static_cast<std::size_t>(kSamples), static_cast<std::size_t>(z.size(1))},
                {z.data_ptr<float>(), static_cast<std::size_t>(z.numel())});
  auto report = to_json(refitted.report);
  report["prior"] = refitted.options.kind;
  replace_text_file(run.folder.file(kReportFile), report.dump(2) + "\n");
}

void remove_refitted_prior(const training::RunFolder& folder) {
  for (const char* name : {kFile, kSamplesFile, kReportFile}) fs::remove(folder.file(name));
}

std::optional<RefittedPrior> open_refitted_prior(const training::Run& run) {
  if (!is_current(run.folder)) return std::nullopt;
  const auto path = run.folder.file(kFile);
  try {
    auto refitted = read(run, path);
    spdlog::info("density: refitted_prior.pt ({}), of cryoscape refine", refitted.options.kind);
    return refitted;
  } catch (const std::exception&) {
    fail("{} is damaged or of another model: run cryoscape refine again", path.string());
  }
}

std::string density_samples(const training::Run& run) {
  const bool refitted = is_current(run.folder) && fs::exists(run.folder.file(kSamplesFile));
  return refitted ? kSamplesFile : "prior_samples.npy";
}

void refit_refined(training::Run& run, const RefitOptions& options, nlohmann::ordered_json& summary) {
  remove_refitted_prior(run.folder);
  try {
    const auto refitted = refit(run, options);
    write_refitted_prior(run, refitted);
    summary["refit"] = to_json(refitted.report);
    summary["refit"]["prior"] = refitted.options.kind;
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    spdlog::warn("warning: the prior is not refitted: {}", error.what());
    summary["refit"] = {{"skipped", error.what()}};
  }
  replace_text_file(run.folder.file("refine.json"), summary.dump(2) + "\n");
}

}  // namespace cryoscape::inference
