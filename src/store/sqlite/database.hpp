#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "agentos/base/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace agentos::store {

// One prepared statement, used again and again. Errors are told by step().
class Statement {
 public:
  Statement(sqlite3* database, std::string_view sql);

  Statement& bind(std::string_view text);
  Statement& bind_bytes(std::string_view bytes);
  Statement& bind(std::int64_t number);
  Statement& bind_null();
  // True: there is a row to read. False: done, and the statement is ready for the next use.
  [[nodiscard]] Result<bool> step();
  [[nodiscard]] Result<> run();  // steps to the end
  void reset();                  // gives up the rows that are left

  // Of the current row, until the next step.
  [[nodiscard]] std::string_view bytes(int column) const;
  [[nodiscard]] std::int64_t number(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  sqlite3* database_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int next_{1};
};

struct Migration {
  int version;
  std::string_view sql;
};

// A SQLite file in WAL mode whose schema is at the last of the migrations. State survives the death of the process at
// any moment; a power cut may lose the last moments (synchronous=NORMAL), and the agents with them.
class Database {
 public:
  // Creates the file with mode 0600 when there is none. A newer schema, a corrupt file, a full disk and a lock held by
  // another program are each an Error that says what to do. Waits up to `busy` for a lock, here and in every statement.
  static Result<Database> open(const std::string& path, std::span<const Migration> migrations,
                               std::chrono::milliseconds busy = std::chrono::milliseconds(250));

  [[nodiscard]] Statement prepare(std::string_view sql) { return {database_.get(), sql}; }
  [[nodiscard]] Result<> execute(const std::string& sql);  // any number of statements

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  Database() = default;
  Result<> migrate(std::span<const Migration> migrations);

  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace agentos::store
