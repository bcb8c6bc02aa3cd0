#include "daemon/http/problem.hpp"

#include <cerrno>

#include <boost/json/object.hpp>

namespace agentos::http {

unsigned status_of(const Error& error) {
  switch (error.kind()) {
    case ErrorKind::internal:
      return 500;
    case ErrorKind::invalid:
      return 400;
    case ErrorKind::not_found:
      return 404;
    case ErrorKind::exists:
    case ErrorKind::conflict:
      return 409;
    case ErrorKind::forbidden:
      return 403;
    case ErrorKind::exhausted:
      return error.number() == ENOSPC || error.number() == EDQUOT ? 507 : 429;
    case ErrorKind::unavailable:
      return 503;
    case ErrorKind::unsupported:
      return 422;
  }
  return 500;
}

std::string_view phrase_of(unsigned status) {
  switch (status) {
    case 100:
      return "Continue";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return "Status";
  }
}

boost::json::object problem(const Error& error) {
  return problem(error, status_of(error));
}

boost::json::object problem(const Error& error, unsigned status) {
  // about:blank (RFC 9457, 4.2.1): the title is the status in words; what programs tell apart is `kind`.
  boost::json::object body{
      {"type", "about:blank"}, {"title", phrase_of(status)}, {"status", status}, {"detail", error.message()}};
  if (!error.hint().empty()) body["hint"] = error.hint();
  body["kind"] = name(error.kind());
  return body;
}

Response problem_response(const Error& error) {
  return problem_response(error, status_of(error));
}

Response problem_response(const Error& error, unsigned status) {
  return {status, problem(error, status), {}};
}

}  // namespace agentos::http
