#pragma once
#include <nlohmann/json.hpp>

#include "cryoscape/training/run.hpp"
#include "cryoscape/util/options.hpp"

namespace cryoscape::inference {

/// How posteriors of single particles are refined; every field but `seed` is declared as an option.
struct RefineOptions {
  int iterations = 6;
  int starts = 3;
  int draws = 64;
  bool joint = false;
  int joint_rounds = 6;
  int seed = 0;

  void declare(OptionSet& set);
};

/// Whether a run's posteriors can be refined: not with a likelihood that is none (correlation), nor where
/// restraints are part of the prior.
bool can_refine(const training::Run& run);

/// Refines the posterior of every particle of a trained run, starting at the encoder's (latents.npy), and
/// writes refined_mean.npy (particles, d), refined_cov.npy (particles, d, d), the likelihoods free of the
/// prior in likelihood/ (expansions.hpp), and refine.json, which is returned. Rows of unusable particles are
/// NaN. Real latents: damped Gauss–Newton from several starts, all modes kept and weighed by posterior mass;
/// latents with bits: scored draws from a proposal near the posterior. Throws Error for a run without a
/// likelihood in nats, one whose restraints are part of the prior, or one without latents.npy. An interrupted
/// pass leaves earlier results as they are.
nlohmann::ordered_json refine_run(training::Run& run, const RefineOptions& options);

/// What refine_run returns, for people to read.
std::string refine_table(const nlohmann::ordered_json& summary);

}  // namespace cryoscape::inference
