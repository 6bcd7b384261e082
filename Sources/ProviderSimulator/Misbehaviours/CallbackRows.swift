// SPDX-License-Identifier: Apache-2.0

extension Misbehaviour {
    /// What is wrong with what comes back through the browser, be it in the clear or signed.
    static let callbackRows: [Misbehaviour: Row] = [
        .accessDenied: Row(
            "the user declines: `access_denied` and no code", .callback, "access-denied", .refusal),
        .stateMismatch: Row(
            "the callback has another `state`", .callback, "state-mismatch",
            Matrix.fapi2("ensure-authorization-response-with-invalid-state-fails"),
            .callback { $0.appendOne(to: "state") }),
        .missingState: Row(
            "the callback has no `state`", .callback, "state-missing",
            Matrix.fapi2("ensure-authorization-response-with-invalid-missing-state-fails"),
            .callback { $0["state"] = nil }),
        .stateOtherForm: Row(
            "`state` looks the same but has other bytes", .callback, "state-mismatch", ["HX26"],
            .callback { $0["state"] = UnicodeTwin.of($0["state"] ?? "") }),
        .wrongCallbackIssuer: Row(
            "the callback has another `iss`", .callback, "iss-mismatch",
            Matrix.fapi2("invalid-authorization-response-iss"),
            .callback { $0.appendOne(to: "iss") }),
        .missingCallbackIssuer: Row(
            "the callback has no `iss`, though promised", .callback, "iss-missing",
            Matrix.fapi2("remove-authorization-response-iss"), .callback { $0["iss"] = nil }),
        .deniedWithOtherState: Row(
            "the user declines, in another session", .callback, "state-mismatch", ["HX3"],
            .refusal, .callback { $0.appendOne(to: "state") }),
        .deniedWithoutState: Row(
            "the user declines, in no session", .callback, "state-missing", ["HX3"], .refusal,
            .callback { $0["state"] = nil }),
        .duplicateCode: Row(
            "`code` stands twice", .callback, "callback-malformed", ["HX4"],
            .callback { $0.duplicate("code") }),
        .duplicateState: Row(
            "`state` stands twice", .callback, "callback-malformed", ["HX4"],
            .callback { $0.duplicate("state") }),
        .codeAndError: Row(
            "there is a code and an error", .callback, "access-denied", ["HX5"],
            .callback { $0["error"] = "access_denied" }),
        .missingCode: Row(
            "there is neither a code nor an error", .callback, "callback-malformed",
            .callback { $0["code"] = nil }),
        .emptyCode: Row(
            "the code is empty", .callback, "callback-malformed", .callback { $0["code"] = "" }),
        .loginRequired: Row(
            "the user would have to log in, but may not be asked", .callback, "login-required",
            Matrix.core("form-post-error"), .callback { $0.become("login_required") }),
        .callbackServerError: Row(
            "the callback says `server_error`", .callback, "broker-error",
            .callback { $0.become("server_error") }),
        .callbackOutage: Row(
            "the callback says `temporarily_unavailable`", .callback, "provider-outage",
            .callback { $0.become("temporarily_unavailable") }),
        .neverReturns: Row(
            "the user is stranded and never comes back", .absence, "abandoned",
            .callback { $0.returns = false }),
    ]
}

extension CallbackDraft {
    /// Puts `1` behind a value.
    mutating func appendOne(to name: String) { self[name] = (self[name] ?? "") + "1" }

    /// Lets a parameter stand twice, the second one being another.
    mutating func duplicate(_ name: String) { parameters.append((name, (self[name] ?? "") + "1")) }

    /// Says an error in place of everything that was to be given.
    mutating func become(_ error: String) {
        for name in ["code", "id_token", "access_token", "token_type", "expires_in"] {
            self[name] = nil
        }
        self["error"] = error
    }
}
