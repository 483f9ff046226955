using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Mesh.DataPlane.Explaining;
using Mesh.DataPlane.Retry;
using Mesh.DataPlane.Timeouts;

namespace Mesh.DataPlane.Upstream;

/// <summary>Makes what the caller gets of how the last attempt came out: the response, which ends the attempt with its body, or the reply for its want.</summary>
internal static class Conclusion
{
    public static HttpResponseMessage Of(AttemptInput input, TimeProvider time, IDecisionObserver? observer)
    {
        var request = input.Request;
        ref var attempt = ref input.Result;
        if (input.Attempts > 1 || attempt.Failure is not (AttemptFailure.None or AttemptFailure.NoHost))
        {
            RequestOutcome.TellAttempts(request, input.Attempts);
        }

        input.Exchange?.OnAttempted(ref attempt);
        var response = attempt.Response is null ? Reply(attempt, input.Retried, request, time, observer) : Complete(attempt, request, input.Retried, time);
        if (input.SetCookie is { } setCookie)
        {
            response.Headers.TryAddWithoutValidation("Set-Cookie", setCookie);
        }

        if (input.Decision.Route!.Policy.TellsAttempts)
        {
            response.Headers.Remove(AttemptSender.AttemptCountHeader);
            response.Headers.TryAddWithoutValidation(AttemptSender.AttemptCountHeader, input.Attempts.ToString(CultureInfo.InvariantCulture));
        }

        return response;
    }

    private static HttpResponseMessage Reply(
        in Attempt attempt, RetriedRequest? retried, HttpRequestMessage request, TimeProvider time, IDecisionObserver? observer)
    {
        var reply = attempt.Reply!;
        if (reply.Flags == "UT" && attempt.Input.Plan.Headers is { AlternativeTimeoutReply: true })
        {
            reply = reply with { Status = HttpStatusCode.NoContent, Body = "" };
        }

        if (RetryFlag(retried) is { } flag)
        {
            reply = reply with { Flags = $"{reply.Flags},{flag}" };
        }

        return RouteReplies.Create(attempt.Input.Exchange?.Flag(reply) ?? reply, attempt.Decision, request, time, observer);
    }

    // Why a failure that was worth another try got none.
    private static string? RetryFlag(RetriedRequest? retried)
        => retried switch
        {
            { IsExhausted: true } => "URX",
            { IsLimited: true } => "UO",
            _ => null,
        };

    // The attempt ends with the body.
    private static HttpResponseMessage Complete(in Attempt attempt, HttpRequestMessage request, RetriedRequest? retried, TimeProvider time)
    {
        var response = attempt.Response!;
        var upstream = attempt.Upstream!;
        if (RetryFlag(retried) is { } flag)
        {
            RequestOutcome.TellFlags(request, flag, "via_upstream");
        }

        if (attempt.Input.Began >= 0)
        {
            ServiceTime.Tell(response, time, attempt.Input.Began);
        }

        if (HasNoBody(request, response))
        {
            upstream.End();
            ResponseFinalizer.Apply(attempt.Decision, request, response, time);
            return response;
        }

        var content = new MeshResponseContent(response.Content, upstream);
        response.Content = content;
        ResponseFinalizer.Apply(attempt.Decision, request, response, time);
        if (upstream.Clock is { } clock)
        {
            clock.Stop(TimeoutCause.PerTry);
            if (clock.HasDeadline)
            {
                if (request.Content is null)
                {
                    // As with any handler: the token was for the sending, whoever reads has one of their own.
                    clock.LeaveCaller();
                }

                clock.Notify(content);
            }
            else
            {
                upstream.EndClock();
            }
        }

        return response;
    }

    private static bool HasNoBody(HttpRequestMessage request, HttpResponseMessage response)
        => response.StatusCode != HttpStatusCode.SwitchingProtocols
            && (IsEmpty(response.Content.Headers.NonValidated)
                || response.StatusCode is HttpStatusCode.NoContent or HttpStatusCode.NotModified
                || request.Method == HttpMethod.Head);

    // As it came: whoever asks for the number has it parsed, and printed again for the copy of the headers.
    private static bool IsEmpty(HttpHeadersNonValidated headers)
        => headers.TryGetValues("Content-Length", out var length) && length.Count == 1 && length.ToString() == "0";
}
