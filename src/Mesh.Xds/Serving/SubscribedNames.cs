using Mesh.Xds.Grpc;

namespace Mesh.Xds.Serving;

/// <summary>How much one connection has subscribed to, all kinds together.</summary>
internal sealed class SubscribedNames(AdsServerLimits limits)
{
    private int _count;
    private long _characters;

    /// <exception cref="RpcException">The connection subscribes to more than it may.</exception>
    public void Add(string name)
    {
        _count++;
        _characters += name.Length;
        if (_count > limits.MaxSubscribedNames)
        {
            throw new RpcException(StatusCode.ResourceExhausted,
                $"more than {limits.MaxSubscribedNames} resource names subscribed on one stream; subscribe to '*' or unsubscribe what is not used");
        }

        if (_characters > limits.MaxSubscribedCharacters)
        {
            throw new RpcException(StatusCode.ResourceExhausted,
                $"the resource names subscribed on one stream are longer than {limits.MaxSubscribedCharacters} characters together");
        }
    }

    public void Remove(string name)
    {
        _count--;
        _characters -= name.Length;
    }
}
