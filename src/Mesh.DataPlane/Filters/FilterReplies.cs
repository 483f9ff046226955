using System.Net;
using Mesh.DataPlane.Upstream;
using Mesh.Filters;

namespace Mesh.DataPlane.Filters;

/// <summary>What the filters of the mesh answer in place of an upstream, in Envoy's words.</summary>
internal static class FilterReplies
{
    private const int ResourceExhausted = 8;

    private const string RateLimitedBody = "local_rate_limited";

    /// <summary>An injected fault. A gRPC status is a 200 to those who do not speak gRPC.</summary>
    public static LocalReply FaultAbort(int? httpStatus, int? grpcStatus)
        => new((HttpStatusCode)(httpStatus ?? 200), "FI", "fault_filter_abort", "fault filter abort") { GrpcStatus = grpcStatus };

    /// <summary>Local rate limit.</summary>
    public static LocalReply LocalRateLimited(int status, bool asResourceExhausted)
        => new((HttpStatusCode)status, "RL", RateLimitedBody, RateLimitedBody) { GrpcStatus = asResourceExhausted ? ResourceExhausted : null };

    /// <summary>The body is longer than the buffer filter takes.</summary>
    public static LocalReply PayloadTooLarge { get; } = new(HttpStatusCode.RequestEntityTooLarge, "", "request_payload_too_large", "Payload Too Large");

    /// <summary>A preflight request that CORS answers; its headers say to whom.</summary>
    public static LocalReply CorsPreflight { get; } = new(HttpStatusCode.OK, "", "cors_response", "") { IsAnswer = true };

    /// <summary>A filter has a bug.</summary>
    public static LocalReply FilterThrew(string filter, Type exception)
        => new(HttpStatusCode.InternalServerError, "", $"filter_threw{{{filter}|{exception.Name}}}", "");

    /// <summary>An authorization policy says no. Who asked may not know which: the body is always the same 19 bytes.</summary>
    /// <param name="policy">The policy that decided, <c>ns[foo]-policy[bar]-rule[0]</c>; <c>none</c> when no ALLOW policy matched.</param>
    public static LocalReply RbacDenied(string policy)
        => new(HttpStatusCode.Forbidden, "", AccessDeniedBy(policy), "RBAC: access denied");

    /// <summary>How the details of a request or a connection tell of it.</summary>
    public static string AccessDeniedBy(string policy) => $"rbac_access_denied_matched_policy[{WithoutSpace(policy)}]";

    /// <summary>A token is missing or not valid.</summary>
    /// <param name="reason">Envoy's words for it, which are the body: <c>Jwt is expired</c>.</param>
    /// <param name="realm">The URI that was asked for.</param>
    /// <param name="isMissing">There is none: then the challenge names no error.</param>
    public static LocalReply JwtDenied(string reason, string realm, bool isMissing)
        => new(HttpStatusCode.Unauthorized, "", $"jwt_authn_access_denied{{{WithoutSpace(reason)}}}", reason)
        {
            Headers = [("www-authenticate", $"Bearer realm=\"{realm}\"{(isMissing ? "" : ", error=\"invalid_token\"")}")],
            Error = HttpRequestError.UserAuthenticationError,
        };

    /// <summary>A token that is valid, for somebody else.</summary>
    public static LocalReply JwtAudienceDenied(string realm)
        => JwtDenied("Audiences in Jwt are not allowed", realm, isMissing: false) with { Status = HttpStatusCode.Forbidden };

    /// <summary>A route asks for a requirement that the filter does not have: nobody passes.</summary>
    public static LocalReply JwtRequirementUnknown(string name, string known)
    {
        var reason = $"Wrong requirement_name: {name}. It should be one of [{known}]";
        return new(HttpStatusCode.Forbidden, "", $"jwt_authn_access_denied{{{WithoutSpace(reason)}}}", "Failed JWT authentication: " + reason);
    }

    /// <summary>An external authorizer says no; status, body and headers are its own.</summary>
    public static LocalReply ExtAuthzDenied(int status, string body, params (string Name, string Value)[] headers)
        => new((HttpStatusCode)status, "UAEX", "ext_authz_denied", body) { Headers = headers };

    /// <summary>An external authorizer cannot be asked, or did not answer in time: nobody passes.</summary>
    /// <param name="status">Its <c>status_on_error</c>; Envoy's default is 403.</param>
    public static LocalReply ExtAuthzError(int status) => new((HttpStatusCode)status, "UAEX", "ext_authz_error", "");

    /// <summary>An external authorizer lets pass what would then be no request any more, or touches what it may not.</summary>
    public static LocalReply ExtAuthzInvalid { get; } = new(HttpStatusCode.InternalServerError, "UAEX", "ext_authz_invalid", "");

    /// <summary>A rate-limit service says no.</summary>
    public static LocalReply RateLimited { get; } = new(HttpStatusCode.TooManyRequests, "RL", "request_rate_limited", "")
    {
        Headers = [("x-envoy-ratelimited", "true")],
    };

    /// <summary>A rate-limit service cannot be asked, and <c>failure_mode_deny</c> is set.</summary>
    /// <param name="status">Its <c>status_on_error</c>; Envoy's default is 500.</param>
    public static LocalReply RateLimitError(int status) => new((HttpStatusCode)status, "RLSE", "rate_limiter_error", "");

    /// <summary>The same for the filter contract.</summary>
    public static FilterReply ToFilterReply(this LocalReply reply) => new((int)reply.Status)
    {
        Body = reply.Body,
        Details = reply.Details,
        Flags = reply.Flags,
        GrpcStatus = reply.GrpcStatus,
        Error = reply.Error,
        Headers = [.. reply.Headers.Select(h => KeyValuePair.Create(h.Name, h.Value))],
    };

    // Logs are split at white space.
    private static string WithoutSpace(string text) => string.Concat(text.Select(c => char.IsWhiteSpace(c) ? '_' : c));
}
