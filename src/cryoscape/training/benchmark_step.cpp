#include "cryoscape/training/benchmark_step.hpp"

namespace cryoscape::training {
namespace {

torch::Generator make_generator() { return torch::make_generator<at::CPUGeneratorImpl>(kBenchmarkSeed); }

}  // namespace

std::unique_ptr<model::HeterogeneityModel> make_benchmark_model(const BenchmarkData& data,
                                                                const particles::Batch& batch,
                                                                const BenchmarkEncoder& encoder) {
  model::ModelOptions options;
  options.encoder_input = encoder.input, options.encoder_precision = encoder.precision;
  options.latent_dim = 8;
  options.prior.kind = "gaussian";
  auto model = std::make_unique<model::HeterogeneityModel>(options, data.scene, kBenchmarkSeed);
  torch::NoGradGuard no_grad;
  const auto reference =
      model->decode(torch::zeros({1, model->latent_dim()})).expand({batch.size(), -1, -1}).contiguous();
  const auto scores = model->score(reference, batch, true, model::Score::fixed_contrast);
  model->spectral().update(scores.sums, static_cast<double>(batch.size()), kBenchmarkMemory);
  return model;
}

structure::RestraintTopology benchmark_restraints(const BenchmarkData& data) {
  return structure::make_restraints(data.beads, {});
}

RestraintSchedule benchmark_schedule() {
  RestraintSchedule schedule;
  schedule.weights = {.bond = 2, .edge = 0.003f, .clash = 2};
  schedule.drop_fraction = 0.2f;
  return schedule;
}

FastPath::FastPath(const BenchmarkData& data, const particles::Batch& first, const BenchmarkEncoder& encoder)
    : model(make_benchmark_model(data, first, encoder)),
      restraints(benchmark_restraints(data)),
      optimiser(model->network_parameters(), {}),
      generator(make_generator()) {}

double FastPath::step(const particles::Batch& batch) {
  const auto schedule = benchmark_schedule();
  const auto evaluation = evaluate_objective(*model, batch, {1, schedule}, restraints, generator);
  evaluation.terms.loss.backward();
  optimiser.step(kBenchmarkLearningRate);
  model->spectral().update(evaluation.sums, static_cast<double>(batch.size()), kBenchmarkMemory);
  return evaluation.terms.loss.item<double>();
}

ReferencePath::ReferencePath(const BenchmarkData& data, const particles::Batch& first)
    : model(make_benchmark_model(data, first)),
      plain(*model, benchmark_restraints(data), kBenchmarkLearningRate),
      generator(make_generator()) {}

double ReferencePath::step(const particles::Batch& batch) {
  return plain.step(batch, 1, benchmark_schedule(), kBenchmarkMemory, generator);
}

}  // namespace cryoscape::training
