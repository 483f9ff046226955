using Envoy.Config.Core.V3;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Xds.Client;

/// <summary>What an ADS client is made with.</summary>
internal sealed record XdsClientOptions
{
    /// <summary>Who the client is; sent with the first request of each stream.</summary>
    public required Node Node { get; init; }

    /// <summary>Begin with the incremental variant; a server without it is spoken to in the state-of-the-world variant.</summary>
    public bool Delta { get; init; } = true;

    /// <summary>How long a requested resource may stay unanswered (xDS protocol, "Knowing When a Requested Resource Does Not Exist").</summary>
    public TimeSpan ResourceTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How many resources of one kind a wildcard subscription may bring in; further ones are refused.</summary>
    public int MaxResourcesPerType { get; init; } = 100_000;

    /// <summary>
    /// The servers serve the same: whenever one cannot be reached the next is turned to, not only for what is missing (gRFC A71). They are tried again
    /// often, so that clients and workloads meet at the same one.
    /// </summary>
    public bool AreReplicas { get; init; }

    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    public IRandomSource Random { get; init; } = SystemRandomSource.Instance;

    /// <summary>What is on the other side, in messages.</summary>
    public string Peer { get; init; } = "the control plane";

    public ILogger Logger { get; init; } = NullLogger.Instance;
}
