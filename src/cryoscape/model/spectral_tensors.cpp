#include "cryoscape/model/spectral_tensors.hpp"

#include "cryoscape/optics/spectrum.hpp"

namespace cryoscape::model {
namespace {

template <class Get>
torch::Tensor curves(const SpectralModel& spectral, torch::Device device, Get get) {
  auto out = torch::empty({spectral.groups(), spectral.shells()});
  for (int g = 0; g < spectral.groups(); ++g) {
    const auto row = get(g);
    std::copy(row.begin(), row.end(), out[g].data_ptr<float>());
  }
  return out.to(device);
}

}  // namespace

SpectralTensors::SpectralTensors(int box, int max_shell, torch::Device device) : box_(box), device_(device) {
  const int columns = box / 2 + 1, shells = optics::shell_count(box);
  const auto table = optics::shell_table(box);
  auto counted = torch::zeros({box, columns});
  auto shell = torch::empty({static_cast<std::int64_t>(table.size())}, torch::kInt64);
  auto members = torch::zeros({shell.size(0), shells});
  for (std::size_t f = 0; f < table.size(); ++f) {
    shell.data_ptr<std::int64_t>()[f] = std::min(table[f], shells);
    if (table[f] < 1 || table[f] > max_shell) continue;
    const auto count = static_cast<float>(optics::multiplicity(static_cast<int>(f % columns), box));
    counted.data_ptr<float>()[f] = count;
    members.data_ptr<float>()[f * shells + table[f]] = count;
  }
  counted_ = counted.to(device), shell_ = shell.to(device), members_ = members.to(device);
}

torch::Tensor SpectralTensors::gain(const SpectralModel& spectral) const {
  return curves(spectral, device_, [&](int group) { return spectral.gain(group); });
}

torch::Tensor SpectralTensors::power(const SpectralModel& spectral) const {
  return curves(spectral, device_, [&](int group) { return spectral.power(group); });
}

torch::Tensor SpectralTensors::log_normaliser(const SpectralModel& spectral,
                                              const torch::Tensor& groups) const {
  auto values = torch::empty({spectral.groups()}, torch::kFloat64);
  for (int g = 0; g < spectral.groups(); ++g) values.data_ptr<double>()[g] = spectral.log_normaliser(g);
  return values.to(device_).index_select(0, groups);
}

torch::Tensor SpectralTensors::spread(const torch::Tensor& curve, const torch::Tensor& groups) const {
  const auto padded = torch::constant_pad_nd(curve, {0, 1});
  return padded.index_select(1, shell_).index_select(0, groups).view({-1, box_, box_ / 2 + 1});
}

torch::Tensor SpectralTensors::by_shell(const torch::Tensor& values) const {
  return values.reshape({values.size(0), -1}).mm(members_);
}

torch::Tensor real_part_of_product(const torch::Tensor& u, const torch::Tensor& v) {
  return (torch::view_as_real(u) * torch::view_as_real(v)).sum(-1);
}

torch::Tensor square_modulus(const torch::Tensor& u) { return torch::view_as_real(u).pow(2).sum(-1); }

torch::Tensor measured(const torch::Tensor& spectra) {
  return torch::view_as_real(spectra).ne(0).any(-1).to(torch::kFloat32);
}

}  // namespace cryoscape::model
