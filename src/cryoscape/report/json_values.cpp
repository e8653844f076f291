#include "cryoscape/report/json_values.hpp"

#include <limits>

namespace cryoscape::report {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

}  // namespace

double number(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<double>() : kNaN;
}

std::string text(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::vector<double> numbers(const nlohmann::json& list) {
  std::vector<double> out;
  if (list.is_array())
    for (const auto& value : list) out.push_back(value.is_number() ? value.get<double>() : kNaN);
  return out;
}

std::vector<double> numbers(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? std::vector<double>() : numbers(*found);
}

std::vector<nlohmann::json> objects(const nlohmann::json& object, const char* key) {
  std::vector<nlohmann::json> out;
  if (const auto found = object.find(key); found != object.end() && found->is_array())
    for (const auto& entry : *found)
      if (entry.is_object()) out.push_back(entry);
  return out;
}

}  // namespace cryoscape::report
