using System.Buffers;
using Envoy.Config.Core.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Mesh.DataPlane.Telemetry.Peers;

/// <summary>
/// What this process tells other workloads of itself: where it can, once at the beginning of a connection, else with each request, for whoever answers may
/// be a replica that was not there before. No more than metrics name, and made once.
/// </summary>
internal sealed class OwnMetadata
{
    private const int MaxIdLength = 512;

    private static readonly SearchValues<char> Visible = SearchValues.Create([.. Enumerable.Range(0x21, 0x7E - 0x21 + 1).Select(c => (char)c)]);

    private readonly string? _id;
    private readonly string _text;

    public OwnMetadata(Node node)
    {
        // An id that is no header's value is not told: the rest is understood without.
        _id = node.Id.Length is > 0 and <= MaxIdLength && !node.Id.AsSpan().ContainsAnyExcept(Visible) ? node.Id : null;
        var told = Peer.OfNode(node.Metadata ?? new Struct()).ToNode();
        _text = Convert.ToBase64String(told.ToByteArray());
        Introduction = Peers.Introduction.Of(told, _id);
    }

    /// <summary>What connections begin with.</summary>
    public ReadOnlyMemory<byte> Introduction { get; }

    /// <summary>Tells it with a request.</summary>
    /// <returns>What gives the message back as it was.</returns>
    public Told Tell(HttpRequestMessage request)
    {
        var told = new Told(request);
        request.Headers.TryAddWithoutValidation(PeerMetadata.Header, _text);
        if (_id is not null)
        {
            request.Headers.TryAddWithoutValidation(PeerMetadata.IdHeader, _id);
        }

        return told;
    }

    /// <summary>Leaves it to the request's connection, which has told it; what the message says in its place is not said either.</summary>
    /// <returns>What gives the message back as it was.</returns>
    public static Told Withhold(HttpRequestMessage request) => new(request);

    /// <summary>That it has been told, and what the message said in its place.</summary>
    public readonly struct Told
    {
        private readonly HttpRequestMessage? _request;
        private readonly string? _ownText;
        private readonly string? _ownId;

        public Told(HttpRequestMessage request)
        {
            _request = request;
            _ownText = Take(request, PeerMetadata.Header);
            _ownId = Take(request, PeerMetadata.IdHeader);
        }

        /// <summary>Istio's proxies answer with what they are themselves, which is not for the application.</summary>
        public void TakeAnswer(HttpResponseMessage response)
        {
            if (_request is not null)
            {
                response.Headers.Remove(PeerMetadata.Header);
                response.Headers.Remove(PeerMetadata.IdHeader);
            }
        }

        public void Undo()
        {
            if (_request is { } request)
            {
                Put(request, PeerMetadata.Header, _ownText);
                Put(request, PeerMetadata.IdHeader, _ownId);
            }
        }

        private static string? Take(HttpRequestMessage request, string name)
        {
            if (!request.Headers.NonValidated.TryGetValues(name, out var values))
            {
                return null;
            }

            var own = values.ToString();
            request.Headers.Remove(name);
            return own;
        }

        private static void Put(HttpRequestMessage request, string name, string? own)
        {
            request.Headers.Remove(name);
            if (own is not null)
            {
                request.Headers.TryAddWithoutValidation(name, own);
            }
        }
    }
}
