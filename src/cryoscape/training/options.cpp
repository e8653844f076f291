#include "cryoscape/training/options.hpp"

namespace cryoscape::training {
namespace {

Option& bounded(Option& option, double minimum, double maximum) {
  option.minimum = minimum;
  option.maximum = maximum;
  return option;
}

}  // namespace

void InputOptions::declare(OptionSet& set) {
  set.add("model", &model,
          "reference atomic model (PDB or mmCIF, plain or gzipped), docked into the consensus map");
  set.add("map", &map,
          "consensus map whose header places the model, and which the docking is checked against");
  set.add("model-origin", &model_origin, "where the model's coordinates start: corner or centre of the box")
      .choices = {"corner", "centre"};
  set.add("dir", &dir, "folder where relative image paths start");
  set.add("cache", &cache,
          "folder for the preprocessed images, which are kept there between epochs and deleted at the end");
  set.add("subset", &subset, "use only these particles (STAR, .cs, or one 0-based row per line)");
  bounded(set.add("half", &half, "use only this half-set (1 or 2; 0: all)"), 0, 2);
  bounded(set.add("box", &box, "training box in pixels, even (0: 128, or the images' own if smaller)"), 0,
          2048);
  bounded(set.add("resolution", &resolution, "finest resolution used, A (0: all of the training box)"), 0,
          1000);
  bounded(set.add("diameter", &diameter, "particle diameter in A (0: the model's, plus 20 %)"), 0, 1e5);
  set.add("contrast", &contrast, "sign of the images: auto tests it, white or black particles").choices = {
      "auto", "white", "black"};
  set.add("invert", &invert, "flip the sign of the images, whatever --contrast says");
  set.add("beads", &beads, "what a bead stands for").choices = {"residue", "all-atom"};
}

void TrainingOptions::declare(OptionSet& set) {
  set.add("device", &device,
          "what trains: cpu, cuda (the first GPU), cuda:K, or auto: a GPU if there is one");
  bounded(set.add("epochs", &epochs,
                  "passes over the particles (0: about 600,000 images in all, 4 to 60 passes)"),
          0, 100000);
  bounded(set.add("batch", &batch, "particles per step"), 1, 65536);
  bounded(set.add("accumulate", &accumulate,
                  "evaluate every batch in so many pieces, one after another: the same step in less memory"),
          1, 65536);
  bounded(set.add("importance-samples", &importance_samples,
                  "samples per image of the importance-weighted bound that is trained (1: the usual bound)"),
          1, 1000);
  bounded(set.add("learning-rate", &learning_rate, "peak learning rate of encoder and decoder"), 1e-8, 1);
  bounded(set.add("beta", &beta, "weight of the KL term (1: a true bound)"), 0, 1e6);
  bounded(set.add("warm-up", &warm_up, "share of training over which the KL weight rises linearly"), 0, 1);
  bounded(set.add("held-out", &held_out, "share of particles kept from training for the bound"), 0, 0.5);
  bounded(set.add("seed", &seed, "seed of all random numbers"), 0, 2147483647);
  bounded(set.add("bond-weight", &bond_weight, "stiffness of bonds, kT/A^2"), 0, 1e6);
  bounded(set.add("edge-weight", &edge_weight,
                  "final stiffness of elastic edges, kT/A^2 (default: relaxed while the held-out bound does "
                  "not fall)"),
          0, 1e6);
  bounded(set.add("clash-weight", &clash_weight, "stiffness against clashes, kT/A^2"), 0, 1e6);
  bounded(set.add("edge-drop", &edge_drop, "share of elastic edges, those that vary most, that is let go"), 0,
          1);
  set.add("between-chains", &between_chains, "elastic edges between chains too");
  set.add("energy-in-prior", &energy_in_prior,
          "count the restraints' energy as part of the prior's, in the bound and for the encoder");
  set.add("prior-init", &prior_init,
          "first couplings of a Boltzmann prior: random, or one concerted motion per hidden bit or group of "
          "bits, from the softest modes of the elastic network (modes) or of its segments (segments)")
      .choices = {"random", "modes", "segments"};
}

}  // namespace cryoscape::training
