#include "cryoscape/model/options.hpp"

namespace cryoscape::model {

void ModelOptions::declare(OptionSet& set) {
  set.add("encoder", &encoder, "network that reads images").choices = {"mlp"};
  set.add("encoder-input", &encoder_input,
          "what the encoder sees: the image back-projected into the molecule's frame, or the raw image")
      .choices = {"backprojection", "image"};
  set.add("encoder-precision", &encoder_precision,
          "what the encoder's matrix products are rounded to; bfloat16 is faster where the processor has it")
      .choices = {"float32", "bfloat16"};
  set.add("decoder", &decoder, "network that moves the residues").choices = {"residue"};
  auto& dim = set.add("latent-dim", &latent_dim, "latent dimension of continuous priors");
  dim.minimum = 1, dim.maximum = 256;
  auto& groups = set.add("posterior-groups", &posterior_groups,
                         "groups of bits, each seen by the posterior of the next (1: independent bits)");
  groups.minimum = 1, groups.maximum = 64;
  set.add("likelihood", &likelihood, "score of an image: Gaussian noise in nats, or CryoSTAR's correlation")
      .choices = {"gaussian", "correlation"};
  set.add("no-contrast", &no_contrast, "fix every particle's contrast at 1 instead of integrating it out");
  set.add("ctf-box", &ctf_box,
          "where CTFs act on predictions: in a box of twice the size, so that what they spread out of the "
          "image is lost as in "
          "the data, or in the image's own box, where it wraps around (faster)")
      .choices = {"wide", "image"};
  auto& sigma = set.add("bead-sigma", &bead_sigma, "standard deviation of a bead's density, A");
  sigma.minimum = 0.2, sigma.maximum = 20;
  prior.declare(set);
}

}  // namespace cryoscape::model
