using Mesh.DataPlane.Tls;

namespace Mesh.DataPlane.Transports;

/// <summary>The secure connections to one endpoint that are open, so that they can be looked at again when secrets change.</summary>
internal sealed class SecureConnections(TimeProvider time)
{
    private readonly HashSet<TlsStream> _open = [];
    private readonly Lock _sync = new();

    public void Add(TlsStream stream)
    {
        lock (_sync)
        {
            _open.Add(stream);
        }
    }

    public void Remove(TlsStream stream)
    {
        lock (_sync)
        {
            _open.Remove(stream);
        }
    }

    /// <summary>Whether each of them would still be made.</summary>
    public bool AreTrusted()
    {
        TlsStream[] open;
        lock (_sync)
        {
            open = [.. _open];
        }

        return open.All(stream => stream.Session!.IsTrusted(time));
    }
}
