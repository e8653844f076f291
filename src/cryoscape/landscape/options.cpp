#include "cryoscape/landscape/options.hpp"

namespace cryoscape::landscape {

void LandscapeOptions::declare(OptionSet& set) {
  set.add("clustering", &clustering,
          "how particles become states: a Gaussian mixture, or k-means with --states")
      .choices = {"mixture", "kmeans"};
  auto& number =
      set.add("states", &states, "number of states (0: found by --criterion, then merged by --barrier)");
  number.minimum = 0, number.maximum = 100;
  set.add("criterion", &criterion, "what chooses the number of Gaussians").choices = {"bic",
                                                                                      "cross-validation"};
  auto& most = set.add("max-states", &max_states, "largest number of Gaussians tried");
  most.minimum = 1, most.maximum = 100;
  auto& dip = set.add("barrier", &barrier,
                      "states are kept apart by a dip of the density between them of at least this, kT");
  dip.minimum = 0, dip.maximum = 100;
  set.add("variable", &variable,
          "collective variable of the free energy: pc1, distance:A:1-30,B:5, angle:S1,S2,S3, "
          "dihedral:S1,S2,S3,S4, rmsd:MODEL or path:MODELS; two with a semicolon between them");
  auto& tabulated = set.add("table-particles", &table_particles,
                            "most particles, drawn at random, that the free energy is fitted to (0: all)");
  tabulated.minimum = 0, tabulated.maximum = 1e9;
  set.add("nodes", &nodes,
          "conformations whose likelihoods give the free energy: the decoder's, or of path:MODELS the models "
          "themselves")
      .choices = {"decoder", "models"};
  set.add("density", &density,
          "density whose basins and energies are sought: the prior as trained, with states of the posterior "
          "means, or the one that refine fitted to the particles' likelihoods, with its basins as states")
      .choices = {"trained", "refitted"};
  set.add("embedding", &embedding, "how particles are laid out in the plane").choices = {"umap", "pca",
                                                                                         "none"};
  set.add("half-run", &half_run,
          "run trained on the other half-set, after its landscape along the same --variable: only states "
          "found in "
          "both are kept, and the free energy's errors hold the spread of the two decoders");
  set.add("format", &format, "format of the models written").choices = {"cif", "pdb", "both"};
}

}  // namespace cryoscape::landscape
