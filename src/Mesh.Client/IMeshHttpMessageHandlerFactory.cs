namespace Mesh.Client;

/// <summary>
/// The way into the mesh for whoever sends HTTP without an <see cref="HttpClient"/> of the factory: WebSockets, gRPC channels, SDKs that take a handler.
/// From the container, as soon as the mesh has been added. Clients of the factory need none of it.
/// </summary>
/// <remarks>
/// Requests are routed as those of any client; no redirects are followed, no cookies kept and nothing is decompressed, and hosts that are not the mesh's
/// are reached by a handler that all of them share. What is returned may be kept as long as the application runs, by many at a time; disposing it is
/// harmless and not necessary.
/// </remarks>
public interface IMeshHttpMessageHandlerFactory
{
    /// <summary>A handler, as for <c>GrpcChannelOptions.HttpHandler</c>.</summary>
    /// <returns>A handler that sends through the mesh.</returns>
    HttpMessageHandler CreateHandler();

    /// <summary>An invoker, as for <c>ClientWebSocket.ConnectAsync(uri, invoker, cancellationToken)</c>.</summary>
    /// <returns>An invoker that sends through the mesh.</returns>
    HttpMessageInvoker CreateInvoker();
}
