#include "cryoscape/latent/ising_json.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "cryoscape/latent/ising_beta.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::latent {
namespace {

using nlohmann::json;

constexpr int kMostSpins = 10'000'000;

json parse_object(const std::string& text, const std::string& name) {
  try {
    auto parsed = json::parse(text);
    if (!parsed.is_object()) fail("{}: no JSON object", name);
    return parsed;
  } catch (const json::parse_error& e) {
    fail("{}: not JSON (byte {})", name, e.byte);
  }
}

/// A whole number in a range.
std::int64_t integer(const json& object, const char* key, std::int64_t low, std::int64_t high,
                     const std::string& name) {
  const auto& value = object.at(key);
  const bool fits =
      value.is_number_integer() &&
      (!value.is_number_unsigned() || value.get<std::uint64_t>() <= static_cast<std::uint64_t>(high)) &&
      value.get<std::int64_t>() >= low && value.get<std::int64_t>() <= high;
  if (!fits) fail("{}: \"{}\" must be a whole number from {} to {}", name, key, low, high);
  return value.get<std::int64_t>();
}

const json& array(const json& object, const char* key, const std::string& name) {
  const auto& value = object.at(key);
  if (!value.is_array()) fail("{}: \"{}\" is no array", name, key);
  return value;
}

std::vector<double> read_fields(const json& object, int spins, const std::string& name) {
  if (!object.contains("fields")) return std::vector<double>(static_cast<std::size_t>(spins));
  const auto& all = array(object, "fields", name);
  if (all.size() != static_cast<std::size_t>(spins))
    fail("{}: {} \"fields\" of {} spins", name, all.size(), spins);
  std::vector<double> fields;
  for (const auto& h : all) {
    if (!h.is_number()) fail("{}: field {} is no number", name, fields.size());
    fields.push_back(h.get<double>());
  }
  return fields;
}

std::vector<Coupling> read_couplings(const json& object, int spins, const std::string& name) {
  std::vector<Coupling> couplings;
  if (!object.contains("couplings")) return couplings;
  const auto index = [&](const json& value) {
    return value.is_number_integer() && value >= 0 && value < spins ? value.get<int>() : -1;
  };
  for (const auto& c : array(object, "couplings", name)) {
    const bool triple = c.is_array() && c.size() == 3 && c[2].is_number();
    const int i = triple ? index(c[0]) : -1, j = triple ? index(c[1]) : -1;
    if (i < 0 || j <= i)
      fail("{}: coupling {} is not [i, j, J] with spins 0 <= i < j < {}", name, couplings.size(), spins);
    couplings.push_back({i, j, c[2].get<double>()});
  }
  return couplings;
}

void read_sample(const json& sample, const IsingProblem& problem, std::size_t k, const std::string& name,
                 std::vector<std::int8_t>& values) {
  if (!sample.is_array() || sample.size() != problem.fields.size())
    fail("{}: sample {} is no array of {} spins", name, k, problem.spins());
  for (const auto& s : sample) {
    if (s != 1 && s != -1) fail("{}: sample {} has a spin that is neither 1 nor -1", name, k);
    values.push_back(s == 1 ? 1 : -1);
  }
}

}  // namespace

IsingRequest read_ising_request(const std::string& text, const std::string& name) {
  const auto object = parse_object(text, name);
  if (!object.contains("spins")) fail("{}: \"spins\" is missing", name);
  const auto spins = static_cast<int>(integer(object, "spins", 1, kMostSpins, name));
  IsingRequest out;
  out.problem = {read_fields(object, spins, name), read_couplings(object, spins, name)};
  if (object.contains("beta")) {
    if (!object["beta"].is_number()) fail("{}: \"beta\" is no number", name);
    out.problem.beta = object["beta"].get<double>();
  }
  if (object.contains("samples"))
    out.samples = static_cast<int>(integer(object, "samples", 1, kMostSamples, name));
  if (object.contains("seed"))
    out.seed = static_cast<std::uint64_t>(
        integer(object, "seed", 0, std::numeric_limits<std::int64_t>::max(), name));
  try {
    check(out.problem);
  } catch (const Error& e) {
    fail("{}: {}", name, e.what());
  }
  return out;
}

std::string to_json(const IsingRequest& request) {
  auto couplings = json::array();
  for (const auto& c : request.problem.couplings) couplings.push_back({c.i, c.j, c.value});
  json object{{"spins", request.problem.spins()},
              {"fields", request.problem.fields},
              {"couplings", couplings},
              {"beta", request.problem.beta}};
  if (request.samples) object["samples"] = *request.samples;
  if (request.seed) object["seed"] = *request.seed;
  return object.dump() + "\n";
}

IsingSamples read_ising_samples(const std::string& text, const IsingProblem& problem, int count,
                                const std::string& name) {
  const auto object = parse_object(text, name);
  if (!object.contains("samples")) fail("{}: \"samples\" is missing", name);
  const auto& samples = array(object, "samples", name);
  if (samples.size() < static_cast<std::size_t>(count))
    fail("{}: {} samples, but {} were asked for", name, samples.size(), count);
  std::vector<std::int8_t> values;
  for (std::size_t k = 0; k < static_cast<std::size_t>(count); ++k)
    read_sample(samples[k], problem, k, name, values);
  const auto log_partition = object.value("log_partition", json());
  if (!log_partition.is_number() && !log_partition.is_null())
    fail("{}: \"log_partition\" is neither a number nor null", name);
  return with_beta(problem, std::move(values),
                   log_partition.is_null() ? std::nullopt : std::optional(log_partition.get<double>()));
}

std::string to_json(const IsingResult& result) {
  const auto& s = result.samples;
  std::string text = "{\"samples\": [";
  for (int k = 0; k < s.count(); ++k) {
    text += k ? ",\n[" : "\n[";
    for (const auto spin : s.sample(k)) text += spin > 0 ? "1, " : "-1, ";
    text.replace(text.size() - 2, 2, "]");
  }
  const auto number = [](double value) { return json(value).dump(); };
  text +=
      "\n],\n\"beta_effective\": " + number(s.beta_effective) + ", \"beta_error\": " + number(s.beta_error);
  text += ", \"log_partition\": " + (s.log_partition ? number(*s.log_partition) : "null");
  if (result.raw_beta_effective) text += ", \"raw_beta_effective\": " + number(*result.raw_beta_effective);
  if (result.correction_sweeps)
    text += ", \"correction_sweeps\": " + std::to_string(*result.correction_sweeps);
  return text + "}\n";
}

}  // namespace cryoscape::latent
