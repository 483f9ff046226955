using System.Net;
using Mesh.DataPlane.Upstream;

namespace Mesh.DataPlane.Inbound.Http;

/// <summary>What is answered to requests that come in before any filter has seen them, in Envoy's words.</summary>
internal static class InboundReplies
{
    private const string BadRequest = "Bad Request";
    private const string NormalizationFailed = "path_normalization_failed";

    /// <summary>A path that is none, has a fragment or a NUL, or has escaped slashes where there must be none.</summary>
    public static LocalReply PathRejected { get; } = new(HttpStatusCode.BadRequest, "", NormalizationFailed, "");

    /// <summary><c>UNESCAPE_AND_REDIRECT</c>.</summary>
    public static LocalReply PathRedirected(string target)
        => new(HttpStatusCode.TemporaryRedirect, "", NormalizationFailed, "") { Headers = [("location", target)], IsAnswer = true };

    /// <summary>The path leads to one route as it stands, and to another one as the application reads it: neither's policies would be the right ones.</summary>
    public static LocalReply PathAmbiguous { get; } = new(HttpStatusCode.BadRequest, "", "path_ambiguous", "the path means one route to the mesh and another one to the application");

    public static LocalReply HeadersTooLarge { get; } = new(HttpStatusCode.RequestHeaderFieldsTooLarge, "", "http1.headers_too_large", "Request Header Fields Too Large");

    public static LocalReply TooManyHeaders { get; } = HeadersTooLarge with { Details = "http1.too_many_headers" };

    /// <summary>A header with an underscore in its name, and <c>REJECT_REQUEST</c>.</summary>
    public static LocalReply Underscore { get; } = new(HttpStatusCode.BadRequest, "", "http1.unexpected_underscore", BadRequest);

    /// <summary>One of the headers of <c>strict_check_headers</c> has a value that is none.</summary>
    public static LocalReply StrictCheckFailed(string name, string value)
        => new(HttpStatusCode.BadRequest, "IH", $"request_headers_failed_strict_check{{{name}}}", $"invalid header '{name}' with value '{value}'");

    /// <summary>Two lengths: whoever passes the request on and whoever reads it could take different ones.</summary>
    public static LocalReply LengthAndChunked { get; } = new(HttpStatusCode.BadRequest, "", "http1.content_length_and_chunked_not_allowed", BadRequest);

    /// <summary>A transfer coding other than <c>chunked</c>, alone or beside it.</summary>
    public static LocalReply TransferCoding { get; } = new(HttpStatusCode.NotImplemented, "", "http1.invalid_transfer_encoding", "Not Implemented");
}
