#include "cryoscape/density/options.hpp"

namespace cryoscape::density {

void DensityOptions::declare(OptionSet& set) {
  set.add("dir", &dir, "folder where relative image paths start");
  set.add("subset", &subset, "keep only these particles: a STAR or .cs file, or one 0-based row per line");
  set.add("box", &box,
          "box of the map, pixels: smaller than that of the images crops them in Fourier space (0: the same; "
          "of a "
          "run its training box)")
      .minimum = 0;
  set.add("diameter", &diameter,
          "particle diameter, A: outside it images are background, and a soft sphere of it masks the FSC (0: "
          "nine "
          "tenths of the box)")
      .minimum = 0;
  set.add("invert", &invert, "invert the images: for particles that are dark");
  set.add("symmetry", &symmetry, "point group as in RELION: C1, C4, D2, T, O, I, I1 ... I4");
  set.add("mask", &mask, "mask for the FSC (MRC, values 0 to 1, of the map's box and pixel size)");
  set.add("check", &check, "map to compare the reconstruction with by FSC (MRC, of its box and pixel size)");
  set.add("b-factor", &b_factor,
          "also write a sharpened map: B-factor in A^2 (negative sharpens), or auto to fit it (Guinier)");
  set.add("local", &local,
          "also write local resolution, and the map filtered by it (sharpened with --b-factor)");
  set.add("memory-limit", &memory_limit,
          "refuse to start if more memory is needed, GB (0: what the process may use)")
      .minimum = 0;
}

}  // namespace cryoscape::density
