require 'json'
require_relative "store/entry"

LIMIT = 10

# A module.
module Store
  VERSION = "1.0"

  class Index < Base::Thing
    include Enumerable
    attr_accessor :path, :size

    def initialize(path)
      @path = path
    end

    def each(&block)
      local = helper(LIMIT)
      @items.each { |item| yield transform(item) }
    end

    def self.open(path)
      new(path).load!
    end

    def ==(other) = path == other.path
    alias_method :each_item, :each

    class << self
      def build; Entry.new; end
    end
  end

  class Error::Missing < StandardError; end
end

def helper(x)
  Store::Index.open(x)
end
