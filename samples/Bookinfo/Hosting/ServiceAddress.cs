namespace Bookinfo.Hosting;

/// <summary>Where a service is, as Bookinfo's environment says it: <c>X_HOSTNAME</c>, <c>SERVICES_DOMAIN</c>, <c>X_SERVICE_PORT</c>.</summary>
internal static class ServiceAddress
{
    /// <summary>The address of <paramref name="service"/>: <c>http://reviews:9080</c> unless the environment says otherwise.</summary>
    public static Uri Of(IConfiguration configuration, string service)
    {
        var prefix = service.ToUpperInvariant();
        var host = configuration[$"{prefix}_HOSTNAME"] ?? service;
        var domain = configuration["SERVICES_DOMAIN"] is { } suffix ? "." + suffix : "";
        var port = configuration[$"{prefix}_SERVICE_PORT"] ?? "9080";
        return Uri.TryCreate($"http://{host}{domain}:{port}", UriKind.Absolute, out var address)
            ? address
            : throw new InvalidOperationException(
                $"'http://{host}{domain}:{port}' is no address of {service}: check {prefix}_HOSTNAME, SERVICES_DOMAIN and {prefix}_SERVICE_PORT.");
    }

    /// <summary>Adds the client named <paramref name="service"/>; its caller sets a time-out per call.</summary>
    public static void AddServiceClient(this WebApplicationBuilder builder, string service)
    {
        var address = Of(builder.Configuration, service);
        builder.Services
            .AddHttpClient(service, client =>
            {
                client.BaseAddress = address;
                client.Timeout = Timeout.InfiniteTimeSpan;
            })
            // Cookies belong to the user whose request is forwarded; a container would share them between users.
            .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { UseCookies = false });
    }
}
