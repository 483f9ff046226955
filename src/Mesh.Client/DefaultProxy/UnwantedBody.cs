namespace Mesh.Client.DefaultProxy;

/// <summary>The rest of a request whose answer is there already.</summary>
internal static class UnwantedBody
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Reads all of it, unless it will not come or is somebody else's to read.</summary>
    /// <returns>Whether the next request begins where it ends.</returns>
    public static async Task<bool> ReadAsync(RequestBodyStream body, RequestHead head, CancellationToken cancellationToken)
    {
        // One that waits to be asked for will not come; one that is still sent on is not this one's to read.
        if (body.IsComplete || body.IsTaken || (!body.HasBegun && head.Lists("Expect", "100-continue")))
        {
            return body.IsComplete;
        }

        var buffer = new byte[16 * 1024];
        try
        {
            while (await body.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) > 0)
            {
            }

            return true;
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException or BadRequestException)
        {
            return false;
        }
    }

    /// <summary>Waits a while for what is being read.</summary>
    public static async ValueTask<bool> IsReadAsync(Task<bool> reading, CancellationTokenSource enough, ProxyServices services)
    {
        try
        {
            return await reading.WaitAsync(Patience, services.Time, services.Stopping).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            await enough.CancelAsync().ConfigureAwait(false);
            return await reading.ConfigureAwait(false);
        }
    }

    /// <summary>Reads it if it is no longer than so many bytes.</summary>
    public static async ValueTask<bool> TryReadAsync(RequestBodyStream body, RequestHead head, int limit, CancellationToken cancellationToken)
    {
        if (body.IsComplete)
        {
            return true;
        }

        // One that waits to be asked for will not come.
        if (head.Lists("Expect", "100-continue") || head.ContentLength > limit)
        {
            return false;
        }

        var buffer = new byte[4096];
        for (var read = 0; read <= limit;)
        {
            var count = await body.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            if (count == 0)
            {
                return true;
            }

            read += count;
        }

        return false;
    }
}
