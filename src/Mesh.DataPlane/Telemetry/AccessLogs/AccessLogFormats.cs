namespace Mesh.DataPlane.Telemetry.AccessLogs;

/// <summary>Formats of access logs that say nothing of their own.</summary>
internal static class AccessLogFormats
{
    /// <summary>Envoy's default.</summary>
    public const string Envoy =
        "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% "
        + "%DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" "
        + "\"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\"\n";

    /// <summary>What <see cref="Envoy"/> tells, as properties, for logs of the application's own settings.</summary>
    public static IReadOnlyDictionary<string, string> Properties { get; } = new Dictionary<string, string>
    {
        ["start_time"] = "%START_TIME%",
        ["method"] = "%REQ(:METHOD)%",
        ["path"] = "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
        ["protocol"] = "%PROTOCOL%",
        ["response_code"] = "%RESPONSE_CODE%",
        ["response_flags"] = "%RESPONSE_FLAGS%",
        ["response_code_details"] = "%RESPONSE_CODE_DETAILS%",
        ["bytes_received"] = "%BYTES_RECEIVED%",
        ["bytes_sent"] = "%BYTES_SENT%",
        ["duration"] = "%DURATION%",
        ["upstream_service_time"] = "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%",
        ["x_forwarded_for"] = "%REQ(X-FORWARDED-FOR)%",
        ["user_agent"] = "%REQ(USER-AGENT)%",
        ["request_id"] = "%REQ(X-REQUEST-ID)%",
        ["authority"] = "%REQ(:AUTHORITY)%",
        ["upstream_host"] = "%UPSTREAM_HOST%",
        ["upstream_cluster"] = "%UPSTREAM_CLUSTER_RAW%",
        ["route_name"] = "%ROUTE_NAME%",
    };
}
