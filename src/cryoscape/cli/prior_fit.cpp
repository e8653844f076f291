#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <filesystem>
#include <iostream>

#include "cryoscape/cli/commands.hpp"
#include "cryoscape/cli/torch_setup.hpp"
#include "cryoscape/io/npy.hpp"
#include "cryoscape/latent/vector_fit.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/files.hpp"

namespace cryoscape::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kSamples = 10000;

struct Settings {
  std::string data, out;
  bool force = false;
  latent::VectorFitOptions fit;
};

nlohmann::json summary(const latent::VectorFit& fit, const Settings& settings, const io::FloatMatrix& data) {
  nlohmann::json json{{"data", settings.data},
                      {"rows", data.rows},
                      {"columns", data.columns},
                      {"prior", settings.fit.prior.kind},
                      {"autoencoder", fit.vae},
                      {"held_out", nullptr},
                      {"held_out_error", nullptr},
                      {"log_partition", {fit.partition.lower, fit.partition.upper}},
                      {"latents", {{"active", fit.active_latents}, {"of", fit.prior->dim()}}},
                      {"diagnostics", fit.diagnostics}};
  if (fit.held_out) json["held_out"] = *fit.held_out, json["held_out_error"] = *fit.held_out_error;
  return json;
}

std::string table(const latent::VectorFit& fit, const Settings& settings) {
  const auto held_out = fit.held_out
                            ? fmt::format("{:.4f} +- {:.4f} nats per row", *fit.held_out, *fit.held_out_error)
                            : std::string("not known: log Z is not known to half a nat");
  return fmt::format(
      "prior          {}{}\nheld-out {}  {}\nlog Z          {:.4f} to {:.4f}\nactive latents {} of {}\n",
      settings.fit.prior.kind, fit.vae ? ", of a small autoencoder" : "", fit.vae ? "bound" : "ln p ",
      held_out, fit.partition.lower, fit.partition.upper, fit.active_latents, fit.prior->dim());
}

void write_samples(const fs::path& path, latent::Prior& prior, int seed) {
  auto generator = torch::make_generator<at::CPUGeneratorImpl>(static_cast<std::uint64_t>(seed) + 2);
  const auto z = prior.sample(kSamples, generator).to(torch::kCPU, torch::kFloat32).contiguous();
  io::write_npy(path, {static_cast<std::size_t>(z.size(0)), static_cast<std::size_t>(z.size(1))},
                {z.data_ptr<float>(), static_cast<std::size_t>(z.numel())});
}

int fit(Settings& settings, const CommonOptions& common) {
  const fs::path out = settings.out;
  if (!settings.out.empty() && !settings.force && fs::exists(out / "prior_fit.json"))
    throw UsageError(fmt::format("{} holds another fit: choose another --out, or overwrite it with --force",
                                 settings.out));
  set_up_torch();
  auto data = io::read_npy_matrix(settings.data);
  const auto tensor = torch::from_blob(
      data.values.data(), {static_cast<std::int64_t>(data.rows), static_cast<std::int64_t>(data.columns)});
  std::string records;
  const auto found =
      latent::fit_vectors(tensor, settings.fit, [&](const nlohmann::json& r) { records += r.dump() + "\n"; });
  if (const auto warning = found.diagnostics.value("warning", ""); !warning.empty())
    spdlog::warn("warning: {}", warning);
  const auto json = summary(found, settings, data);
  if (!settings.out.empty()) {
    OptionSet options;
    settings.fit.declare(options);
    replace_text_file(out / "config.toml", options.to_toml());
    replace_text_file(out / "train.jsonl", records);
    replace_text_file(out / "prior_fit.json", json.dump(2) + "\n");
    write_samples(out / "samples.npy", *found.prior, settings.fit.seed);
  }
  std::cout << (common.json ? json.dump(2) + "\n" : table(found, settings));
  return 0;
}

}  // namespace

std::unique_ptr<Command> prior_fit_command() {
  auto settings = std::make_shared<Settings>();
  auto command = std::make_unique<Command>();
  command->name = "prior-fit";
  command->summary = "A latent prior trained on vectors alone";
  command->example = "cryoscape prior-fit vectors.npy --prior gbrbm --out fit";
  command->positionals = {{"DATA", "NPY file of vectors (M, n)", &settings->data}};
  settings->fit.declare(command->options);
  command->options.add(
      "out", &settings->out,
      "folder for the options, the record of training, the result and 10,000 samples of the prior");
  command->options.add("force", &settings->force, "overwrite another fit in --out");
  command->prints_json = true;
  command->run = [settings](const CommonOptions& common) { return fit(*settings, common); };
  return command;
}

}  // namespace cryoscape::cli
