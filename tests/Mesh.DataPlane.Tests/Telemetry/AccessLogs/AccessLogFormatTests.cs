using Envoy.Config.Core.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Formatting;
using Mesh.DataPlane.Telemetry;
using Mesh.DataPlane.Telemetry.AccessLogs;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Routing;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Tests.Telemetry.AccessLogs;

/// <summary>The formats, byte for byte.</summary>
public class AccessLogFormatTests
{
    // Istio's own, as its control plane writes it into listeners.
    private const string Istio =
        "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "
        + "\"%UPSTREAM_TRANSPORT_FAILURE_REASON%\" %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" "
        + "\"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\" %UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% "
        + "%REQUESTED_SERVER_NAME% %ROUTE_NAME%\n";

    [Fact]
    [Trait("Lab", "L004")]
    public void Envoys_default_is_the_line_of_the_lab()
        => Written(AccessLogFormat.Default).ShouldBe(
            "[2017-08-08T00:22:56.670Z] \"GET / HTTP/1.1\" 200 - 0 558 107 106 \"-\" \"curl/7.47.0\" \"cd30da12-ee24-9429-b188-2d494017c083\" \"service-two\" \"172.17.0.8:8080\"\n");

    [Fact]
    public void Istios_default_tells_of_a_request_of_this_process()
        => Written(Text(Istio)).ShouldBe(
            "[2017-08-08T00:22:56.670Z] \"GET / HTTP/1.1\" 200 - via_upstream - \"-\" 0 558 107 106 \"-\" \"curl/7.47.0\" \"cd30da12-ee24-9429-b188-2d494017c083\" \"service-two\" "
            + "\"172.17.0.8:8080\" outbound|80||service-two.default.svc.cluster.local - - - - default\n");

    [Fact]
    public void Istios_default_tells_of_a_request_that_came_in()
        => Written(Text(Istio), r => r.Connection = FinishedRequest.Connection).ShouldEndWith(
            "\"172.17.0.8:8080\" outbound|80||service-two.default.svc.cluster.local - 10.1.2.4:8080 10.1.2.3:4711 service-two default\n");

    [Fact]
    [Trait("Lab", "P11")]
    public void Injected_faults_stand_where_the_labs_look_for_them()
        => Written(AccessLogFormat.Default, r => (r.Status, r.Flags, r.Endpoint) = (500, "DI,FI", null))
            .ShouldStartWith("[2017-08-08T00:22:56.670Z] \"GET / HTTP/1.1\" 500 DI,FI 0 558 107");

    [Fact]
    public void JSON_keeps_numbers_and_says_null_for_nothing_in_the_order_of_the_names()
        => Written(Json("""
            {"status":"%RESPONSE_CODE%","duration":"%DURATION%","path":"%REQ(:PATH)%","forwarded":"%REQ(X-FORWARDED-FOR)%","start_time":"%START_TIME%",
             "text":"%RESPONSE_CODE% %REQ(x-none)%","nested":{"b":["%PROTOCOL%",1,true,null],"a":"%UPSTREAM_REQUEST_ATTEMPT_COUNT%"},"meta":"%DYNAMIC_METADATA(com.test)%","cel":"%TYPED_CEL(response.code == 200)%"}
            """), r => r.Metadata = FinishedRequest.Metadata).ShouldBe(
            """{"cel":true,"duration":107,"forwarded":null,"meta":{"key":"foo","number":7,"object":{"inner":"bar"},"evil":"a\nb"},"nested":{"a":1,"b":["HTTP/1.1",1,true,null]},"path":"/","start_time":"2017-08-08T00:22:56.670Z","status":200,"text":"200 -"}""" + "\n");

    [Fact]
    public void Properties_without_a_value_can_be_left_out()
        => Written(Json("""{"a":"%REQ(x-none)%","b":{"c":"%DYNAMIC_METADATA(none)%"},"d":"x%REQ(x-none)%","e":"%DURATION%"}""", omitEmpty: true)).ShouldBe("""{"b":{},"d":"x","e":107}""" + "\n");

    [Fact]
    public void The_older_JSON_has_texts_alone()
        => Written(new AccessLogFormat(JsonFormat.Parse(Struct.Parser.ParseJson("""{"a":"%DURATION%","b":"%REQ(x-none)%"}"""), omitEmptyValues: false, typed: false)))
            .ShouldBe("""{"a":"107","b":"-"}""" + "\n");

    [Theory]
    [InlineData("a\"b\\c\nd\te\u0001f\u00e9\ud83d\ude00</script>", """{"v":"a\"b\\c\nd\te\u0001fé😀</script>"}""")]
    public void JSON_is_escaped_as_little_as_it_may_be(string hostile, string expected)
        => Written(Json("""{"v":"%REQ(:path)%"}"""), r => r.Path = hostile).ShouldBe(expected + "\n");

    [Theory]
    [InlineData("%REQ(:path)%")]
    [InlineData("%REQ(:authority)%")]
    [InlineData("%REQ(:method)%")]
    [InlineData("%RESPONSE_CODE_DETAILS(ALLOW_WHITESPACES)%")]
    [InlineData("%UPSTREAM_TRANSPORT_FAILURE_REASON%")]
    [InlineData("%ROUTE_NAME%")]
    [InlineData("%DYNAMIC_METADATA(com.test:evil)%")]
    [InlineData("%QUERY_PARAMS(DECODED)%")]
    [InlineData("%CEL(request.path)%")]
    [InlineData("%COALESCE({\"operators\":[{\"command\":\"REQ\",\"param\":\":path\"}]})%")]
    public void No_value_begins_a_line_of_its_own(string command)
    {
        const string Evil = "/x?a\r\n[2017-08-08T00:22:56.670Z] \"GET /forged\u001b[2J\u2028\u0085";
        var line = Written(Text($"a {command} b\n"), r =>
        {
            (r.Path, r.Authority, r.Method, r.Details, r.TransportFailure) = (Evil, Evil, Evil, Evil, Evil);
            r.Metadata = FinishedRequest.Metadata;
            r.Route = new(0, Evil, r.Route?.Match ?? new(new(PathMatchKind.Prefix, "/", true), RouteConditions.None), new RouteAction.Unsupported("none"));
        });

        line.ShouldEndWith(" b\n");
        line[..^1].ShouldNotContain(c => char.IsControl(c) || c == '\u2028');
    }

    [Fact]
    public void A_control_plane_reads_neither_files_nor_the_environment()
    {
        Refusal(new SubstitutionFormatString { TextFormatSource = new DataSource { Filename = "/etc/passwd" } }).ShouldBe("log_format.text_format_source.filename");
        Refusal(new SubstitutionFormatString { TextFormatSource = new DataSource { EnvironmentVariable = "HOME" } }).ShouldBe("log_format.text_format_source.environment_variable");
        Refusal(new SubstitutionFormatString { TextFormatSource = new DataSource { InlineString = "%ENVIRONMENT(HOME)%" } }).ShouldBe("log_format.text_format_source");
        Refusal(new SubstitutionFormatString { JsonFormat = Struct.Parser.ParseJson("""{"a":{"b":"%NO_SUCH%"}}""") }).ShouldBe("log_format.json_format");
    }

    [Fact]
    public void Milliseconds_seconds_and_days_follow_each_other()
    {
        var text = new Utf8Text();
        string[] times = ["2026-12-31T23:59:58.999Z", "2026-12-31T23:59:59.000Z", "2026-12-31T23:59:59.099Z", "2027-01-01T00:00:00.007Z", "2026-12-31T23:59:59.000Z", "0001-01-01T00:00:00.000Z"];
        foreach (var time in times)
        {
            text.AppendTime(DateTimeOffset.Parse(time, System.Globalization.CultureInfo.InvariantCulture));
            text.Append((byte)' ');
        }

        text.ToString().ShouldBe(string.Join(' ', times) + " ");
        text.Clear();
        text.AppendTime(new DateTimeOffset(2026, 11, 21, 8, 30, 28, 250, TimeSpan.FromHours(2)));
        text.ToString().ShouldBe("2026-11-21T06:30:28.250Z");
    }

    [Theory]
    [InlineData("%e|%j|%C|%y|%u|%w|%p|%I", " 8|220|20|17|2|2|AM|12")]
    [InlineData("%b %B %a %A", "Aug August Tue Tuesday")]
    [InlineData("%F %T %R %D", "2017-08-08 00:22:56 00:22 08/08/17")]
    [InlineData("%9f %3f %1f %f %E6S", "670000100 670 6 670000100 56.670000")]
    [InlineData("%s%% (%Z %z)", "1502151776% (UTC +0000)")]
    [InlineData("\"%t\\\u00e9%Y", "\"\t\\\u00e92017")]
    public void Times_have_formats_of_their_own(string format, string expected)
    {
        Written(Text($"%START_TIME({format})%")).ShouldBe(expected);
        Written(new AccessLogFormat(JsonFormat.Parse(new Struct { Fields = { ["t"] = Value.ForString($"%START_TIME({format})%") } }, omitEmptyValues: false)))
            .ShouldBe("{\"t\":" + System.Text.Json.JsonSerializer.Serialize(expected, new System.Text.Json.JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }) + "}\n");
    }

    [Theory]
    [InlineData("10.1.2.3:4711")]
    [InlineData("[2001:db8::1]:80")]
    [InlineData("[fe80::1%3]:80")]
    [InlineData("[::ffff:10.0.0.1]:65535")]
    public void Addresses_are_what_their_texts_are(string address)
    {
        var connection = new DataPlane.Inbound.ConnectionFacts { RemoteEndPoint = System.Net.IPEndPoint.Parse(address), LocalEndPoint = System.Net.IPEndPoint.Parse(address) };
        Written(Text("%DOWNSTREAM_REMOTE_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_DIRECT_REMOTE_ADDRESS:4%"), r => r.Connection = connection)
            .ShouldBe($"{address} {address} {address[..4]}");
        Written(Json("""{"a":"%DOWNSTREAM_REMOTE_ADDRESS%"}"""), r => r.Connection = connection).ShouldBe($$"""{"a":"{{address}}"}""" + "\n");
    }

    [Theory]
    [InlineData("plain ~ text")]
    [InlineData("tab\tquote\"back\\slash")]
    [InlineData("h\u00e9 \ud83d\ude00 \ud83d")]
    public void A_value_is_cut_off_by_its_characters(string path)
    {
        for (var length = 0; length <= path.Length; length++)
        {
            var expected = new Utf8Text();
            expected.AppendPrintable(path.AsSpan(0, length));
            Written(Text($"%REQ(:path):{length}%"), r => r.Path = path).ShouldBe(expected.ToString());
        }
    }

    [Fact]
    public void Lines_cost_no_memory()
    {
        foreach (var format in (AccessLogFormat[])[AccessLogFormat.Default, Text(Istio), Json("""{"a":"%START_TIME%","b":"%REQ(user-agent)%","c":"%UPSTREAM_HOST%","d":"%DURATION%","e":"%PROTOCOL% %RESPONSE_FLAGS%"}""")])
        {
            var context = FinishedRequest.Context(r => r.Connection = FinishedRequest.Connection);
            Allocations.Of(_ => format.Write(context, Utf8Text.OfThread)).ShouldBe(0);
        }
    }

    private static string Refusal(SubstitutionFormatString format)
        => Should.Throw<ResourceRejectedException>(() => AccessLogFormatCompiler.Compile(format, "log_format", [])).Field;

    private static AccessLogFormat Text(string format) => new(SubstitutionFormat.Parse(format, omitEmptyValues: false));

    private static AccessLogFormat Json(string format, bool omitEmpty = false) => new(JsonFormat.Parse(Struct.Parser.ParseJson(format), omitEmpty));

    private static string Written(AccessLogFormat format, Action<RequestRecord>? change = null)
    {
        var text = new Utf8Text();
        format.Write(FinishedRequest.Context(change), text);
        return text.ToString();
    }
}
