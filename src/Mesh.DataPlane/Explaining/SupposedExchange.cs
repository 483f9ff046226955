using System.Diagnostics.CodeAnalysis;
using Mesh.DataPlane.Formatting;
using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Inbound.Http;
using Mesh.DataPlane.Matching;
using Mesh.Filters;

namespace Mesh.DataPlane.Explaining;

/// <summary>A request that has not come in, for the code that would judge it if it did.</summary>
internal sealed class SupposedExchange : InboundExchange
{
    private readonly SupposedHeaders _headers = new();
    private readonly ConnectionFacts _connection;

    public SupposedExchange(SupposedRequest request, ConnectionFacts connection, InboundHttpTable table, ulong draw)
    {
        (Method, Path, Authority, Scheme, _connection) = (request.Method, request.Path, request.Host, "http", connection);
        (Table, Draw, JudgedAddress) = (table, draw, connection.RemoteEndPoint?.Address);
        foreach (var (name, value) in request.Headers)
        {
            _headers.Add(name, value);
        }
    }

    public override string Method { get; set; }

    public override string Path { get; set; }

    public override string Authority { get; set; }

    public override string Scheme { get; }

    public override int StatusCode { get; set; }

    public override ConnectionFacts? Connection => _connection;

    public override FormatContext Format => new(Time);

    public override RequestView View => new(Path, Method, Authority, Scheme, _headers, _headers);

    public override bool TryGetHeader(HeaderSide side, string name, [NotNullWhen(true)] out string? value)
    {
        value = side == HeaderSide.Request ? _headers.Joined(name) : null;
        return value is not null;
    }

    public override void AddHeader(HeaderSide side, string name, string value)
    {
        if (side == HeaderSide.Request)
        {
            _headers.Add(name, value);
        }
    }

    public override bool RemoveHeader(HeaderSide side, string name) => side == HeaderSide.Request && _headers.Remove(name);

    public override void CopyHeaders(HeaderSide side, ICollection<KeyValuePair<string, string>> headers)
    {
        foreach (var (name, values) in side == HeaderSide.Request ? _headers.All : [])
        {
            foreach (var value in values)
            {
                headers.Add(new(name, value));
            }
        }
    }

    public override void Scan(ref HeaderScan scan)
    {
        foreach (var (name, values) in _headers.All)
        {
            scan.Add(name, values.Count, values.Sum(v => v.Length));
        }
    }

    public override void AddFlag(string flag)
    {
    }

    public override void ReplaceResponse()
    {
    }

    public override ValueTask<ReadOnlyMemory<byte>?> BufferAsync(HeaderSide side, int maxBytes, CancellationToken cancellationToken) => new((ReadOnlyMemory<byte>?)ReadOnlyMemory<byte>.Empty);

    public override ValueTask<bool> LoadAsync(HeaderSide side, long maxBytes, CancellationToken cancellationToken) => new(true);

    public override void TransformResponseBody(Func<Stream, Stream> transform, Action ended) => ended();
}
