using System.Globalization;
using Mesh.DataPlane.Upstream;

namespace Mesh.Client;

/// <summary>Makes exceptions of local replies, for clients that want them so.</summary>
internal static class LocalReplyExceptions
{
    /// <summary>The exception in place of a response; <see langword="null"/> when the response is an upstream's, or what a rule wants answered.</summary>
    public static HttpRequestException? Of(HttpRequestMessage request)
    {
        if (RequestOutcome.ReplyTo(request) is not { IsAnswer: false, Status: >= System.Net.HttpStatusCode.BadRequest } reply || LocalReplies.IsGrpc(request))
        {
            return null;
        }

        request.Options.TryGetValue(MeshRequest.ResponseFlags, out var flags);
        var exception = new HttpRequestException(reply.Error, Message(request, reply, flags ?? reply.Flags), inner: null, reply.Status);
        exception.Data[MeshRequest.ResponseFlags.Key] = flags ?? reply.Flags;
        exception.Data[MeshRequest.ResponseCodeDetails.Key] = reply.Details;
        if (request.Options.TryGetValue(MeshRequest.Attempts, out var attempts))
        {
            exception.Data[MeshRequest.Attempts.Key] = attempts;
        }

        return exception;
    }

    // Paths and queries may hold what no log should.
    private static string Message(HttpRequestMessage request, LocalReply reply, string flags)
        => string.Create(
            CultureInfo.InvariantCulture,
            $"The mesh answered the request to {request.Headers.Host ?? request.RequestUri!.Authority} with {(int)reply.Status}{(flags.Length > 0 ? " " + flags : "")} ({reply.Details}){(reply.Body.Length > 0 ? ": " + reply.Body : "")}.");
}
