using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using Envoy.Config.Core.V3;
using Envoy.Service.Auth.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Message = Envoy.Extensions.Filters.Http.ExtAuthz.V3.ExtAuthz;

namespace Mesh.DataPlane.Tests.Filters.ExtAuthz;

/// <summary>A mesh whose service is behind an external authorizer, of which a test says what it answers.</summary>
internal sealed class AuthorizerMesh : IAsyncDisposable
{
    public const string Name = "envoy.filters.http.ext_authz";
    public const string Cluster = "outbound|9000||authz.example";

    public AuthorizerMesh()
    {
        Mesh.AddCluster(Cluster, 90);
        Mesh.Respond = request => request.RequestUri!.Host == FilterMesh.Authority.Split(':')[0] ? Application(request) : Answer(request);
    }

    public FilterMesh Mesh { get; } = new();

    /// <summary>How the application answers.</summary>
    public Func<HttpRequestMessage, HttpResponseMessage> Application { get; set; } = _ => new HttpResponseMessage { Content = new StringContent("hello") };

    /// <summary>How a gRPC authorizer answers.</summary>
    public Func<CheckRequest, CheckResponse> Check { get; set; } = _ => new CheckResponse();

    /// <summary>How an HTTP authorizer answers.</summary>
    public Func<HttpRequestMessage, HttpResponseMessage> Http { get; set; } = _ => new HttpResponseMessage();

    /// <summary>What the gRPC authorizer was asked.</summary>
    public List<CheckRequest> Checks { get; } = [];

    public IEnumerable<ReceivedRequest> AtApplication => Mesh.Received.Where(r => r.Cluster == "v1");

    public IEnumerable<ReceivedRequest> AtAuthorizer => Mesh.Received.Where(r => r.Cluster == Cluster);

    public static Message Grpc(Action<Message>? change = null) => With(change, new Message
    {
        TransportApiVersion = ApiVersion.V3,
        GrpcService = new GrpcService { EnvoyGrpc = new GrpcService.Types.EnvoyGrpc { ClusterName = Cluster, Authority = "authz.example" } },
    });

    public static Message OverHttp(Action<Message>? change = null) => With(change, new Message
    {
        HttpService = new Envoy.Extensions.Filters.Http.ExtAuthz.V3.HttpService
        {
            ServerUri = new HttpUri { Uri = "http://authz.example", Cluster = Cluster, Timeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(1)) },
        },
    });

    public AuthorizerMesh Listen(Message message)
    {
        Mesh.Listen(FilterMesh.Filter(Name, message));
        return this;
    }

    public static HeaderValueOption Header(string name, string value, bool? append = null, HeaderValueOption.Types.HeaderAppendAction action = default)
    {
        var option = new HeaderValueOption { Header = new HeaderValue { Key = name, Value = value }, AppendAction = action };
#pragma warning disable CS0612 // What most authorizers send.
        option.Append = append;
#pragma warning restore CS0612
        return option;
    }

    public static CheckResponse Allowed(Action<OkHttpResponse> change)
    {
        var ok = new OkHttpResponse();
        change(ok);
        return new CheckResponse { OkResponse = ok };
    }

    public static CheckResponse Denied(int status = 0, string body = "", params HeaderValueOption[] headers)
        => new()
        {
            Status = new Google.Rpc.Status { Code = 7 },
            DeniedResponse = new DeniedHttpResponse
            {
                Status = status == 0 ? null : new Envoy.Type.V3.HttpStatus { Code = (Envoy.Type.V3.StatusCode)status },
                Body = body,
                Headers = { headers },
            },
        };

    public ValueTask DisposeAsync() => Mesh.DisposeAsync();

    private static Message With(Action<Message>? change, Message message)
    {
        change?.Invoke(message);
        return message;
    }

    private HttpResponseMessage Answer(HttpRequestMessage request)
    {
        if (request.Content?.Headers.ContentType?.MediaType != "application/grpc")
        {
            return Http(request);
        }

        var bytes = request.Content.ReadAsByteArrayAsync().GetAwaiter().GetResult();
        var check = CheckRequest.Parser.ParseFrom(bytes.AsSpan(5));
        Checks.Add(check);
        var answer = Check(check).ToByteArray();
        var body = new byte[5 + answer.Length];
        BinaryPrimitives.WriteUInt32BigEndian(body.AsSpan(1), (uint)answer.Length);
        answer.CopyTo(body, 5);
        var response = new HttpResponseMessage(HttpStatusCode.OK)
        {
            Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/grpc") } },
        };
        response.TrailingHeaders.Add("grpc-status", "0");
        return response;
    }
}
