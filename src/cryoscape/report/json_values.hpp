#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace cryoscape::report {

/// A number of an object; NaN where the key is missing or holds something else, as null.
double number(const nlohmann::json& object, const char* key);

/// A text of an object; empty where the key is missing or holds something else.
std::string text(const nlohmann::json& object, const char* key);

/// A list of numbers, NaN for entries that are none; empty where there is no list.
std::vector<double> numbers(const nlohmann::json& list);
std::vector<double> numbers(const nlohmann::json& object, const char* key);

/// The objects of a list; empty where the key is missing or holds no list.
std::vector<nlohmann::json> objects(const nlohmann::json& object, const char* key);

}  // namespace cryoscape::report
