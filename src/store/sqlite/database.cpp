#include "store/sqlite/database.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace agentos::store {
namespace {

Error no_space(const std::string& what, const std::string& path) {
  return Error::from_errno(ENOSPC, what).with_hint("free space on its file system (`df -h " + path + "`)");
}

Error error_of(sqlite3* database, std::string_view doing) {
  const int code = database == nullptr ? SQLITE_NOMEM : sqlite3_errcode(database);
  const char* file = database == nullptr ? nullptr : sqlite3_db_filename(database, "main");
  const std::string path = file == nullptr ? "the database" : file;
  const std::string what = std::string(doing) + ": ";
  switch (code) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {ErrorKind::unavailable, what + path + " is locked by another program",
              "end what holds it (`fuser -v " + path + "` shows it) and try again"};
    case SQLITE_FULL:
      return no_space(what + path, path);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {ErrorKind::internal, what + path + " is damaged",
              "restore it from a backup, or move it and its -wal and -shm files away to start with no agents"};
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return {ErrorKind::forbidden, what + path + ": " + sqlite3_errmsg(database),
              "the folder and the file must be writable by the user that agentosd runs as"};
    case SQLITE_CONSTRAINT:
      return {ErrorKind::exists, what + sqlite3_errmsg(database)};
    case SQLITE_IOERR:
      if (sqlite3_system_errno(database) == ENOSPC || sqlite3_system_errno(database) == EDQUOT) {
        return no_space(what + path, path);
      }
      [[fallthrough]];
    default:
      return {ErrorKind::internal,
              what + path + ": " + (database == nullptr ? "out of memory" : sqlite3_errmsg(database))};
  }
}

}  // namespace

Statement::Statement(sqlite3* database, std::string_view sql) : database_(database) {
  sqlite3_stmt* statement = nullptr;
  // On failure the statement is null and step() tells the error.
  sqlite3_prepare_v3(database, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement,
                     nullptr);
  statement_.reset(statement);
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Statement& Statement::bind(std::string_view text) {
  sqlite3_bind_text64(statement_.get(), next_++, text.empty() ? "" : text.data(), text.size(), SQLITE_TRANSIENT,
                      SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind_bytes(std::string_view bytes) {
  sqlite3_bind_blob64(statement_.get(), next_++, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
  return *this;
}

Statement& Statement::bind(std::int64_t number) {
  sqlite3_bind_int64(statement_.get(), next_++, number);
  return *this;
}

Statement& Statement::bind_null() {
  sqlite3_bind_null(statement_.get(), next_++);
  return *this;
}

Result<bool> Statement::step() {
  if (!statement_) return std::unexpected(error_of(database_, "prepare a statement"));
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  Error error = code == SQLITE_DONE ? Error(ErrorKind::internal, {}) : error_of(database_, "run a statement");
  reset();
  if (code != SQLITE_DONE) return std::unexpected(std::move(error));
  return false;
}

Result<> Statement::run() {
  while (AGENTOS_TRY(step())) {
  }
  return {};
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
  next_ = 1;
}

std::string_view Statement::bytes(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  return {data, data == nullptr ? 0 : static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

std::int64_t Statement::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

void Database::Close::operator()(sqlite3* database) const {
  sqlite3_close_v2(database);
}

Result<Database> Database::open(const std::string& path, std::span<const Migration> migrations,
                                std::chrono::milliseconds busy) {
  // SQLite would make the file with the umask's mode; the -wal and -shm files copy the mode of this one.
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) {
    const int number = errno;
    return std::unexpected(Error::from_errno(number, "open the database " + path)
                               .with_hint("its folder must be writable by the user that agentosd runs as"));
  }
  ::close(file);
  Database database;
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  database.database_.reset(handle);
  if (code != SQLITE_OK) return std::unexpected(error_of(handle, "open the database"));
  sqlite3_busy_timeout(handle, static_cast<int>(busy.count()));
  AGENTOS_TRY(database.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;"));
  AGENTOS_TRY(database.migrate(migrations));
  return database;
}

Result<> Database::execute(const std::string& sql) {
  if (sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return std::unexpected(error_of(database_.get(), "run a statement"));
  }
  return {};
}

Result<> Database::migrate(std::span<const Migration> migrations) {
  AGENTOS_TRY(
      execute("BEGIN IMMEDIATE;"
              "CREATE TABLE IF NOT EXISTS migration (version INTEGER PRIMARY KEY, applied TEXT NOT NULL);"));
  const auto apply = [&]() -> Result<> {
    std::int64_t present = 0;
    {
      Statement newest = prepare("SELECT coalesce(max(version), 0) FROM migration");
      if (AGENTOS_TRY(newest.step())) present = newest.number(0);
    }
    const int known = migrations.empty() ? 0 : migrations.back().version;
    if (present > known) {
      return fail(
          ErrorKind::unsupported,
          "the database has schema " + std::to_string(present) + ", this agentosd knows up to " + std::to_string(known),
          "it was used by a newer agentos: install that one again, or restore an older database");
    }
    for (const auto& migration : migrations) {
      if (migration.version <= present) continue;
      AGENTOS_TRY(execute(std::string(migration.sql)));
      AGENTOS_TRY(prepare("INSERT INTO migration VALUES (?, datetime('now'))").bind(migration.version).run());
    }
    return {};
  };
  if (auto applied = apply(); !applied) {
    static_cast<void>(execute("ROLLBACK"));
    return applied;
  }
  return execute("COMMIT");
}

}  // namespace agentos::store
