#include "cryoscape/latent/options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cryoscape/latent/ising_sampler.hpp"
#include "cryoscape/latent/prior.hpp"

namespace cryoscape::latent {
namespace {

void bounded(Option& option, double minimum, double maximum) {
  option.minimum = minimum;
  option.maximum = maximum;
}

}  // namespace

void PriorOptions::declare(OptionSet& set) {
  set.add("prior", &kind, "energy of the latents").choices = prior_kinds();
  bounded(set.add("components", &components,
                  "components of the mixture prior, and of the mixture through which ebm priors sample"),
          1, 200);
  bounded(set.add("pseudo-inputs", &pseudo_inputs, "learned posteriors that the vamp prior averages"), 1,
          1000);
  set.add("ebm-training", &ebm_training, "samples that the ebm prior learns from").choices = {
      "langevin", "persistent", "importance"};
  bounded(set.add("langevin-steps", &langevin_steps, "steps of every run with --ebm-training langevin"), 1,
          1000);
  bounded(set.add("noise-levels", &noise_levels, "levels of noise of the diffusion-ebm prior"), 2, 100);
  bounded(set.add("hidden-bits", &hidden,
                  "hidden bits of the gbrbm and rbm-hidden priors, and of each of the two layers of dbm (up "
                  "to 20 are summed exactly)"),
          1, 256);
  bounded(set.add("bits", &bits, "latent bits of the priors that have some"), 2, 1024);
  bounded(set.add("chains", &chains, "persistent Markov chains of a Boltzmann prior"), 16, 65536);
  bounded(set.add("sweeps", &sweeps,
                  "Gibbs sweeps of every chain per training step; of the paths of qbm a quarter"),
          1, 10000);
  set.add(
      "sampler", &sampler,
      fmt::format(
          "negative phases of Boltzmann priors: gibbs is persistent chains; {} or external:COMMAND draw them "
          "anew at every step",
          fmt::join(ising_sampler_names(), ", ")));
  bounded(set.add("transverse-field", &transverse_field, "transverse field of the qbm prior"), 0.01, 10);
  set.add("smoothing", &smoothing.kind, "how bits are relaxed on their way to the decoder").choices =
      smoothing_kinds();
  bounded(
      set.add("smoothing-beta", &smoothing.beta,
              "sharpness of relaxed bits (default: 8 for overlapping-exp, 3 for spike-exp, 30 for power, 10 "
              "for gaussian-integral, 2 for concrete)"),
      1, 100);
}

}  // namespace cryoscape::latent
