using System.Globalization;
using System.Net;
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
        var response = attempt.Response is null ? Reply(input, attempt, request, time, observer) : Complete(input, attempt, request, time);
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

    private static HttpResponseMessage Reply(AttemptInput input, in Attempt attempt, HttpRequestMessage request, TimeProvider time, IDecisionObserver? observer)
    {
        var reply = attempt.Reply!;
        if (reply.Flags == "UT" && attempt.Input.Plan.Headers is { AlternativeTimeoutReply: true })
        {
            reply = reply with { Status = HttpStatusCode.NoContent, Body = "" };
        }

        if (RetryFlag(input.Retried) is { } flag)
        {
            reply = reply with { Flags = $"{reply.Flags},{flag}" };
        }

        reply = attempt.Input.Exchange?.Flag(reply) ?? reply;
        var response = RouteReplies.Create(reply, attempt.Decision, request, time, observer);
        if (input.Record is { } record)
        {
            ClientRecords.Reply(input, record, reply, response);
        }

        return response;
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
    private static HttpResponseMessage Complete(AttemptInput input, in Attempt attempt, HttpRequestMessage request, TimeProvider time)
    {
        var response = attempt.Response!;
        var upstream = attempt.Upstream!;
        var flag = RetryFlag(input.Retried);
        var answered = 0L;
        if (input.Record is { } record)
        {
            answered = record.ResponseBegan;
            record.Flags = flag ?? "";
            ClientRecords.Answer(input, record, response, upstream);
        }

        if (flag is not null)
        {
            RequestOutcome.TellFlags(request, flag, "via_upstream");
        }

        if (attempt.Input.Began >= 0)
        {
            ServiceTime.Tell(response, time.GetElapsedTime(attempt.Input.Began, answered > 0 ? answered : time.GetTimestamp()));
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
            && (IsEmpty(response)
                || response.StatusCode is HttpStatusCode.NoContent or HttpStatusCode.NotModified
                || request.Method == HttpMethod.Head);

    // HTTP/1.1's reader has parsed the number, and to read it as it came would print it again; HTTP/2's has not.
    private static bool IsEmpty(HttpResponseMessage response)
        => response.Version.Major < 2 ? response.Content.Headers.ContentLength == 0
            : response.Content.Headers.NonValidated.TryGetValues("Content-Length", out var length) && length.Count == 1 && length.ToString() == "0";
}
