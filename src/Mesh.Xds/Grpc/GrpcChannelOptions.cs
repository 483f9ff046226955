namespace Mesh.Xds.Grpc;

/// <summary>How a channel connects and what it accepts.</summary>
internal sealed record GrpcChannelOptions
{
    /// <summary>Speak TLS where the target's scheme does not say; <see langword="null"/> is plain text.</summary>
    public GrpcTlsCredentials? Tls { get; init; }

    /// <summary>Reads the token that every call carries as <c>authorization: Bearer</c>, anew for each; <see langword="null"/>: none. It never leaves this machine in clear text.</summary>
    public Func<string?>? BearerToken { get; init; }

    /// <summary>The limit of one received message in bytes.</summary>
    public int MaxReceiveMessageSize { get; init; } = GrpcMessageReader.DefaultMaxMessageSize;

    /// <summary>How sent messages are compressed.</summary>
    public GrpcEncoding SendEncoding { get; init; } = GrpcEncoding.Identity;

    /// <summary>How long establishing a connection may take (gRPC's minimum connect timeout).</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>The time between HTTP/2 pings while calls are open; <see langword="null"/> sends none.</summary>
    public TimeSpan? KeepAliveInterval { get; init; }

    /// <summary>How long the answer to a ping may take until the connection counts as dead.</summary>
    public TimeSpan KeepAliveTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Ping also while no call is open; most servers answer that with GOAWAY.</summary>
    public bool KeepAliveWithoutCalls { get; init; }

    /// <summary>The value of <c>user-agent</c>.</summary>
    public string UserAgent { get; init; } = "mesh";

    /// <summary>The clock of deadlines.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
