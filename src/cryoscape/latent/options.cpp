#include "cryoscape/latent/options.hpp"

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
  bounded(set.add("hidden-bits", &hidden, "hidden bits of the gbrbm prior (up to 20 are summed exactly)"), 1,
          256);
  bounded(set.add("bits", &bits, "latent bits of the rbm prior, half on each side"), 2, 1024);
  bounded(set.add("chains", &chains, "persistent Markov chains of a Boltzmann prior"), 16, 65536);
  bounded(set.add("sweeps", &sweeps, "Gibbs sweeps of every chain per training step"), 1, 10000);
  bounded(set.add("noise-levels", &noise_levels, "levels of noise of the diffusion-ebm prior"), 2, 100);
  bounded(set.add("smoothing-beta", &smoothing.beta,
                  "sharpness of the overlapping-exponential relaxation of bits"),
          1, 100);
}

}  // namespace cryoscape::latent
