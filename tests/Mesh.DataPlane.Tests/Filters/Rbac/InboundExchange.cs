using System.Diagnostics.CodeAnalysis;
using System.Net;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Formatting;
using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Tests.Matching;
using Mesh.Filters;

namespace Mesh.DataPlane.Tests.Filters.Rbac;

/// <summary>A request that came in by a connection, as a server's door shows it to filters.</summary>
internal sealed class InboundExchange : EngineExchange
{
    private readonly TestRequest _request;

    public InboundExchange(TestRequest request, string? applicationPath = null)
    {
        (_request, ApplicationPath) = (request, applicationPath);
        Exchange.Begin(1);
    }

    /// <summary>What the filter has answered; <see langword="null"/> when the request goes on.</summary>
    public FilterReply? Answer => Exchange.PendingReply;

    public override string? ApplicationPath { get; }

    public override ConnectionFacts? Connection => _request.Connection;

    public override IPAddress? RemoteAddress => _request.RemoteAddress;

    public override RequestView View => FakeHeaders.View(_request.Path, _request.Headers, _request.Method, _request.Authority);

    public override FormatContext Format => new(Time);

    public override string Method { get => _request.Method; set => throw new NotSupportedException(); }

    public override string Path { get => _request.Path; set => throw new NotSupportedException(); }

    public override string Authority { get => _request.Authority; set => throw new NotSupportedException(); }

    public override string Scheme => "http";

    public override int StatusCode { get => 0; set => throw new NotSupportedException(); }

    public override bool IsLocalReply => false;

    public override string? RouteName => null;

    public override string? ClusterName => null;

    public override bool TryGetHeader(HeaderSide side, string name, [NotNullWhen(true)] out string? value) => _request.Headers.TryGetValue(name, out value);

    public override void AddHeader(HeaderSide side, string name, string value) => throw new NotSupportedException();

    public override bool RemoveHeader(HeaderSide side, string name) => throw new NotSupportedException();

    public override void CopyHeaders(HeaderSide side, ICollection<KeyValuePair<string, string>> headers) => throw new NotSupportedException();

    public override void AddFlag(string flag) => throw new NotSupportedException();

    public override ValueTask<ReadOnlyMemory<byte>?> BufferAsync(HeaderSide side, int maxBytes, CancellationToken cancellationToken) => throw new NotSupportedException();

    public override ValueTask<bool> LoadAsync(HeaderSide side, long maxBytes, CancellationToken cancellationToken) => throw new NotSupportedException();

    public override void TransformResponseBody(Func<Stream, Stream> transform, Action ended) => throw new NotSupportedException();
}
