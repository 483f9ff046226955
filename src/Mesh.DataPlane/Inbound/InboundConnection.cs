using Mesh.DataPlane.Inbound.Http;
using Mesh.DataPlane.Tcp;

namespace Mesh.DataPlane.Inbound;

/// <summary>A connection that has been let in. Its requests find it among the features of their connection.</summary>
/// <param name="chain">The chain that let it in.</param>
/// <param name="where">What chains are chosen by.</param>
/// <param name="facts">What is known of it.</param>
internal sealed class InboundConnection(InboundChain chain, ChainFacts where, ConnectionFacts facts) : IInboundConnection
{
    private volatile InboundChain _chain = chain;
    private volatile bool _isDraining;
    private int _requests;

    public ConnectionFacts Facts { get; } = facts;

    /// <summary>The chain that its requests go by; another one when the listener changes and that lets it in as well.</summary>
    public InboundChain Chain
    {
        get => _chain;
        set => _chain = value;
    }

    public InboundHttpTable? Http => _chain.Http;

    /// <summary>It would not be let in any more: the next response asks the client to close it.</summary>
    public bool IsDraining => _isDraining;

    /// <summary>Whether no request is being served.</summary>
    public bool IsIdle => Volatile.Read(ref _requests) == 0;

    public ChainFacts Where { get; } = where;

    /// <summary>How it ends; set before it is added to its listener.</summary>
    public IInboundTransport? Transport { get; set; }

    /// <summary>Ends it when a certificate does; <see langword="null"/> when it rests on none.</summary>
    public CertificateExpiry? Expiry { get; set; }

    /// <returns>Whether it was not draining already.</returns>
    public bool BeginDrain()
    {
        if (_isDraining)
        {
            return false;
        }

        _isDraining = true;
        Transport?.BeginClose();
        return true;
    }

    /// <summary>A request has come in by it.</summary>
    public void BeginRequest() => Interlocked.Increment(ref _requests);

    /// <summary>It has been served.</summary>
    public void EndRequest() => Interlocked.Decrement(ref _requests);
}
