using Mesh.DataPlane.Timeouts;

namespace Mesh.DataPlane.Upstream;

/// <summary>The caller's own message on its way: changed for as long as it is sent, and given back as it was.</summary>
internal static class OutgoingMessage
{
    /// <summary>What route and weighted cluster make of the message, once.</summary>
    /// <returns>Why it must not be sent; <see langword="null"/> when it may.</returns>
    public static LocalReply? Edit(AttemptInput input, TimeProvider time)
    {
        var request = input.Request;
        if (RequestFinalizer.Applies(input.Decision))
        {
            input.Edit = new RequestEdit(request);
            if (RequestFinalizer.Apply(input.Decision, input.Edit, time, input.Decision.Host.Settings.SuppressEnvoyHeaders) is { } refusal)
            {
                input.Edit.Undo();
                return refusal;
            }
        }

        if (input.Decision.Route!.Policy.CountsAttempts && request.Headers.NonValidated.TryGetValues(AttemptSender.AttemptCountHeader, out var counted))
        {
            input.OwnAttemptCount = counted.ToString();
        }

        return null;
    }

    /// <summary>The caller gets the message back as it was.</summary>
    public static void Restore(AttemptInput input)
    {
        var request = input.Request;
        var policy = input.Decision.Route!.Policy;
        if (input.Body is { } body)
        {
            if (!input.IsStale)
            {
                input.Mirrored?.Finish(body);
            }

            request.Content = body.Inner;
        }

        if (input.Plan.ExpectedTimeout > TimeSpan.Zero)
        {
            ExpectedTimeout.Restore(input);
        }

        input.Plan.Headers?.Restore(request);
        if (policy.CountsAttempts)
        {
            request.Headers.Remove(AttemptSender.AttemptCountHeader);
            if (input.OwnAttemptCount is { } count)
            {
                request.Headers.TryAddWithoutValidation(AttemptSender.AttemptCountHeader, count);
            }
        }

        if (policy.MarksTimeoutRetries)
        {
            request.Headers.Remove(AttemptSender.TimeoutRetryHeader);
        }

        input.Edit?.Undo();
        input.Injected?.Undo(request);

        // Hedged attempts that lost may still be on their way.
        if (!input.IsStale && !input.IsHedged && input.Redirect is null)
        {
            input.Return();
        }
    }
}
