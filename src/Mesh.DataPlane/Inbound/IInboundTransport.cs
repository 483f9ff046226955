namespace Mesh.DataPlane.Inbound;

/// <summary>How a connection ends that may not go on.</summary>
internal interface IInboundTransport
{
    /// <summary>Asks the server to end it when that loses nothing: HTTP/2 is sent GOAWAY; HTTP/1.1 is told with its next response.</summary>
    void BeginClose();

    /// <summary>Ends it at once.</summary>
    void Abort(string reason);
}
