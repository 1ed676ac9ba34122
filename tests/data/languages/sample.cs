using System;
using Alias = System.Collections.Generic.List<int>;

namespace Example.App;

/// <summary>A store.</summary>
[Serializable]
public class Store<T> : Base<T>, IDisposable where T : class
{
    public const int Limit = 10;
    private readonly List<T> items, others;
    public event EventHandler Changed;

    public Store(List<T> items) { this.items = items; }

    public int Count { get; private set; }
    public T this[int i] => items[i];

    [Obsolete]
    public async Task<T> FindAsync(string key)
    {
        int Local(int x) => x + Limit;
        return await Repository.LoadAsync(key, Local(1));
    }

    public void Dispose() => Cleaner.Clean(this);
    public static Store<T> operator +(Store<T> a, Store<T> b) => a;
}

public interface IShape { double Area(double scale); string Name { get; } }
public struct Point { public int X; }
public record Person(string Name, int Age);
public enum Color { Red, Green = 2 }
public delegate void Handler(object sender);
