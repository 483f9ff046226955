using Mesh.Xds.Client;

namespace Mesh.DataPlane.Hosts;

/// <summary>How long the control plane is waited for.</summary>
internal sealed class AnswerWait(IXdsClient client, MeshOptions options, TimeProvider time)
{
    /// <summary>
    /// Waits for an answer. A name of the mesh is worth waiting for as long as the protocol allows an answer to take. The world outside is not,
    /// where the server may never say that it does not know a name; where it does say so, an answer that is late (in a process that has only just
    /// started) is still an answer, and to go on without it would lead around the mesh.
    /// </summary>
    /// <exception cref="TimeoutException">There is none yet.</exception>
    public async Task ForAsync(HostEntry entry, CancellationToken cancellationToken)
    {
        var limit = options.Xds.ResourceTimeout;
        if (entry.IsMeshName)
        {
            await entry.Answered.WaitAsync(limit, time, cancellationToken).ConfigureAwait(false);
            return;
        }

        try
        {
            await entry.Answered.WaitAsync(options.Client.UnknownHostTimeout, time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException) when (client.AnswersEveryName)
        {
            await Task.WhenAny(entry.Answered, entry.Unreachable).WaitAsync(limit, time, cancellationToken).ConfigureAwait(false);
            entry.HasTimedOut = !entry.Answered.IsCompleted;
        }
    }
}
